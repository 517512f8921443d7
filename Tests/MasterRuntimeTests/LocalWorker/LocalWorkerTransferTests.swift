import Glibc
import MasterKit
import MasterRuntime
import Synchronization
import Testing

struct LocalWorkerTransferTests {
    private static let text = String(repeating: "0123456789", count: 50_000)

    /// Provides a text in pieces of odd sizes.
    private static func input(_ text: String) -> CommandInput {
        let rest = Mutex(Array(text.utf8)[...])
        return CommandInput { limit in
            rest.withLock { rest in
                defer { rest = rest.dropFirst(min(limit, 77_777)) }
                return Array(rest.prefix(min(limit, 77_777)))
            }
        }
    }

    private func upload(_ file: Command.UploadFile, in folder: TemporaryFolder) async throws -> Ran
    {
        var ran = Ran()
        ran.result = try await folder.worker.run(.uploadFile(file)) { ran.take($0) }
        return ran
    }

    @Test func `a file comes whole, piece by piece`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(Self.text, to: "f")
            let ran = try await upload(.init("f", maxByteCount: 500_000), in: folder)
            #expect(ran.output == Self.text)
            #expect(ran.result.value == .byteCount(500_000))
        }
    }

    @Test func `what cannot be uploaded is an error in words`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("123456", to: "f")
            _ = try await Ran.shell("mkfifo fifo; mkdir d", in: folder.path)
            func code(_ file: Command.UploadFile) async throws -> CommandError.Code {
                try await #require(throws: CommandError.self) {
                    _ = try await upload(file, in: folder)
                }.code
            }
            #expect(try await code(.init("f", maxByteCount: 5)) == .tooLarge)
            #expect(try await code(.init("none")) == .notFound)
            #expect(try await code(.init("fifo")) == .wrongKind)
            #expect(try await code(.init("d")) == .wrongKind)
        }
    }

    @Test func `a file is written whole, with its permissions`() async throws {
        try await TemporaryFolder.with { folder in
            let command = Command.downloadFile(.init("new/f", permissions: 0o750))
            let result = try await folder.worker.run(command, input: Self.input(Self.text)) { _ in }
            #expect(result.value == .byteCount(500_000))
            #expect(try folder.read("new/f") == Self.text)
            let ran = try await Ran.shell("stat -c %a new/f; ls -A new", in: folder.path)
            #expect(ran.output == "750\nf\n")
        }
    }

    @Test func `a download that fails leaves what was there`() async throws {
        struct Broken: Error {}
        try await TemporaryFolder.with { folder in
            try folder.write("old", to: "f")
            let command = Command.downloadFile(.init("f", maxByteCount: 100_000))
            let tooMuch = try await #require(throws: CommandError.self) {
                _ = try await folder.worker.run(command, input: Self.input(Self.text)) { _ in }
            }
            #expect(tooMuch.code == .tooLarge)
            await #expect(throws: Broken.self) {
                let input = CommandInput { _ in throw Broken() }
                _ = try await folder.worker.run(command, input: input) { _ in }
            }
            #expect(try folder.read("f") == "old")
            #expect(try await Ran.shell("ls -A", in: folder.path).output == "f\n")
        }
    }
}
