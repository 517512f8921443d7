import FoundationEssentials
import Glibc
import Testing

@testable import MasterRuntime

struct CrashMarkTests {
    @Test func `a fault of the program leaves a mark`() async throws {
        let path = "/tmp/crash-mark-\(UUID())"
        await #expect(processExitsWith: .failure) { [path = path as String] in
            CrashMark.begin(at: path)
            preconditionFailure("this is what is tested")
        }
        #expect(CrashMark.isSet(at: path))
        try FileManager.default.removeItem(atPath: path)
    }

    @Test func `a kill from outside leaves none`() async throws {
        let path = "/tmp/crash-mark-\(UUID())"
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            CrashMark.begin(at: path)
            raise(SIGKILL)
        }
        #expect(!CrashMark.isSet(at: path))
        try FileManager.default.removeItem(atPath: path)
    }
}
