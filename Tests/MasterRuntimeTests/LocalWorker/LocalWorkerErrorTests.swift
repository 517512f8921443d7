import MasterKit
import MasterRuntime
import Testing

struct LocalWorkerErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var command: Command.Shell
        var code: CommandError.Code
        var words: [String]
        var testDescription: String { words.joined(separator: " … ") }
    }

    static let cases = [
        Case(
            command: .init(["no-such-program-x"], in: "/tmp"), code: .programNotFound,
            words: ["no-such-program-x was not found", "in PATH (/"]),
        Case(
            command: .init(["./nothing-here"], in: "/tmp"), code: .programNotFound,
            words: ["there is nothing at /tmp/./nothing-here"]),
        Case(
            command: .init(["/etc/passwd"], in: "/tmp"), code: .programNotExecutable,
            words: ["/etc/passwd", "not executable", "chmod +x"]),
        Case(
            command: .init(["/usr"], in: "/tmp"), code: .programNotExecutable,
            words: ["/usr", "is a folder"]),
        Case(
            command: .init(["true"], in: "/tmp/no-such-folder-x"), code: .workdir,
            words: ["/tmp/no-such-folder-x", "No such file", "make it first"]),
        Case(
            command: .init(["true"], in: "/etc/passwd"), code: .workdir,
            words: ["/etc/passwd", "is not a folder"]),
        Case(
            command: .init(["true", String(repeating: "x", count: 200_000)], in: "/tmp"),
            code: .argumentsTooLong, words: ["true", "bytes", "put them into a file"]),
        Case(command: .init([], in: "/tmp"), code: .invalid, words: ["the command is empty"]),
        Case(command: .init([""], in: "/tmp"), code: .invalid, words: ["the command is empty"]),
        Case(
            command: .init(["echo", "a\0b"], in: "/tmp"), code: .invalid,
            words: ["echo", "zero byte"]),
    ]

    @Test(arguments: cases)
    func `a program that cannot be started is an error in words`(_ fault: Case) async throws {
        let error = try await #require(throws: CommandError.self) {
            _ = try await LocalWorker(root: "/tmp").run(.shell(fault.command)) { _ in }
        }
        #expect(error.code == fault.code, "\(error)")
        for word in fault.words { #expect(error.message.contains(word), "\(error)") }
    }

    @Test(arguments: ["", "1A", "A=B", "A\0"])
    func `a name that no variable can have is refused`(_ name: String) async throws {
        let error = try await #require(throws: CommandError.self) {
            _ = try await Ran.shell("true") { $0.environment = [name: "secret-value"] }
        }
        #expect(error.code == .invalid)
        #expect(!error.message.contains("secret-value"))
    }

    @Test func `a script without an interpreter is an error in words`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("#!/no/such/interpreter\n", to: "script", isExecutable: true)
            let error = try await #require(throws: CommandError.self) {
                _ = try await Ran.shell(["./script"], in: folder.path)
            }
            #expect(error.code == .programNotExecutable)
            #expect(error.message.contains("interpreter"))
        }
    }
}
