import FoundationEssentials
import Glibc
import MasterKit
import MasterRuntime
import Testing

struct LocalWorkerFileTests {
    @discardableResult
    private func run(_ command: Command, in folder: TemporaryFolder) async throws -> CommandResult {
        try await folder.worker.run(command) { _ in }
    }

    private func failure(
        of command: Command, in folder: TemporaryFolder
    ) async throws -> CommandError {
        try await #require(throws: CommandError.self) {
            _ = try await folder.worker.run(command) { _ in }
        }
    }

    @Test func `a folder is made with those above it, and may be there`() async throws {
        try await TemporaryFolder.with { folder in
            #expect(try await run(.mkdir(.init("a/b/c")), in: folder).isSuccess)
            #expect(try await run(.mkdir(.init("a/b/c/")), in: folder).isSuccess)
            #expect(folder.has("a/b/c"))
            try folder.write("x", to: "file")
            #expect(try await failure(of: .mkdir(.init("file")), in: folder).code == .wrongKind)
            #expect(try await failure(of: .mkdir(.init("file/x")), in: folder).code == .wrongKind)
            let error = try await failure(of: .mkdir(.init("/proc/none/x")), in: folder)
            #expect(error.code == .notFound)
        }
    }

    @Test func `a tree is removed whole, read-only folders and odd names too`() async throws {
        try await TemporaryFolder.with { folder in
            _ = try await Ran.shell(
                """
                mkdir -p t/ro/sub t/deep/er; echo x > t/ro/sub/f; chmod -R a-w t/ro
                echo y > "t/$(printf 'caf\\351')"
                """,
                in: folder.path
            )
            #expect(try await run(.rmdir(.init("t")), in: folder).isSuccess)
            #expect(!folder.has("t"))
            #expect(try await run(.rmdir(.init("t")), in: folder).isSuccess)
        }
    }

    @Test func `links are removed and never followed`() async throws {
        try await TemporaryFolder.with { folder in
            _ = try await Ran.shell(
                "mkdir keep t; echo x > keep/f; ln -s ../keep t/link; ln -s keep direct",
                in: folder.path)
            try await run(.rmdir(.init("t")), in: folder)
            try await run(.rmdir(.init("direct")), in: folder)
            #expect(!folder.has("t"))
            #expect(!folder.has("direct"))
            #expect(folder.has("keep/f"))
        }
    }

    @Test(arguments: ["..", ".", "", "sub/../..", "/", "/tmp"])
    func `the root and what holds it are never removed`(_ path: String) async throws {
        try await TemporaryFolder.with { folder in
            _ = try await Ran.shell("mkdir sub", in: folder.path)
            for outside in [false, true] {
                let command = Command.rmdir(.init(path, outside: outside))
                #expect(try await failure(of: command, in: folder).code == .outsideRoot)
            }
            #expect(folder.has("sub"))
        }
    }

    @Test(arguments: ["/tmp/elsewhere-x", "out/x", "out/../x", "../elsewhere-x"])
    func `nothing is removed outside the root`(_ path: String) async throws {
        try await TemporaryFolder.with { folder in
            _ = try await Ran.shell("mkdir sub; ln -s /usr out", in: folder.path)
            let error = try await failure(of: .rmdir(.init(path)), in: folder)
            #expect(error.code == .outsideRoot)
            #expect(error.message.contains("outside: true"))
            #expect(folder.has("sub"))
        }
    }

    @Test func `outside the root is removed when it is said to be meant`() async throws {
        try await TemporaryFolder.with { folder in
            try await TemporaryFolder.with { other in
                try other.write("x", to: "f")
                let command = Command.rmdir(.init("\(other.path)/f", outside: true))
                #expect(try await run(command, in: folder).isSuccess)
                #expect(!other.has("f"))
            }
        }
    }

    @Test func `nothing is removed by accident if the root is a link`() async throws {
        try await TemporaryFolder.with { folder in
            _ = try await Ran.shell("mkdir -p disk/deep a; ln -s disk work", in: folder.path)
            let worker = LocalWorker(root: "\(folder.path)/work")
            for path in ["deep", "\(folder.path)/disk/deep", "\(folder.path)/work/deep"] {
                let commands: [Command] = [
                    .rmdir(.init(path)), .cpdir(.init(from: "\(folder.path)/a", to: path)),
                ]
                for command in commands {
                    let error = try await #require(throws: CommandError.self) {
                        _ = try await worker.run(command) { _ in }
                    }
                    #expect(error.code == .outsideRoot)
                    #expect(
                        error.reason.hasSuffix("because the folder of builds is a symbolic link"))
                    #expect(error.message.contains("outside: true"))
                }
            }
            for path in ["\(folder.path)/work", "\(folder.path)/disk", "."] {
                let error = try await #require(throws: CommandError.self) {
                    _ = try await worker.run(.rmdir(.init(path, outside: true))) { _ in }
                }
                #expect(error.reason.contains("is the folder of builds"))
            }
            #expect(folder.has("work/deep"))
            #expect(try await worker.run(.mkdir(.init("new"))) { _ in }.isSuccess)
            #expect(try await worker.run(.rmdir(.init("deep", outside: true))) { _ in }.isSuccess)
            #expect(folder.has("disk/new"))
            #expect(!folder.has("disk/deep"))
        }
    }

    @Test func `a tree is copied with links and permissions, in place of another`() async throws {
        try await TemporaryFolder.with { folder in
            _ = try await Ran.shell(
                """
                mkdir -p a/sub to/b; echo 1 > a/sub/f; chmod 751 a/sub/f; ln -s sub/f a/link
                chmod 555 a/sub; echo old > to/b/old
                """,
                in: folder.path
            )
            try await run(.cpdir(.init(from: "a", to: "to/b")), in: folder)
            let ran = try await Ran.shell(
                "cat b/link; readlink b/link; stat -c %a b/sub/f b/sub; ls b",
                in: folder.path + "/to")
            #expect(ran.output == "1\nsub/f\n751\n555\nlink\nsub\n")
            try await run(.rmdir(.init("to")), in: folder)
            try await run(.rmdir(.init("a")), in: folder)
        }
    }

    @Test func `a copy that cannot be made is an error in words`() async throws {
        try await TemporaryFolder.with { folder in
            _ = try await Ran.shell("mkdir -p a/b p; mkfifo p/fifo; echo x > f", in: folder.path)
            func code(_ source: String, _ destination: String) async throws -> CommandError.Code {
                let copy = Command.CopyDirectory(from: source, to: destination)
                return try await failure(of: .cpdir(copy), in: folder).code
            }
            #expect(try await code("none", "x") == .notFound)
            #expect(try await code("f", "x") == .notFound)
            #expect(try await code("a", "a/b/c") == .invalid)
            #expect(try await code("a/b", "a") == .invalid)
            #expect(try await code("a", "/tmp/outside-x") == .outsideRoot)
            #expect(try await code("p", "x") == .wrongKind)
            let special = Command.CopyDirectory(from: "p", to: "x")
            #expect(
                try await failure(of: .cpdir(special), in: folder).message
                    == "\(folder.path)/p/fifo is a named pipe, and special files are not copied; "
                    + "remove it, or copy the folders beside it")
            #expect(!folder.has("x"))
        }
    }

    @Test func `stat tells what is there, and that nothing is`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("12345", to: "f", isExecutable: true)
            guard
                case .status(let file?) = try await run(.stat(.init("f")), in: folder).value,
                case .status(let root?) = try await run(.stat(.init(".")), in: folder).value
            else {
                Issue.record("there is a file and a folder")
                return
            }
            #expect(file.kind == .file)
            #expect(file.byteCount == 5)
            #expect(file.permissions == 0o755)
            #expect(abs(file.modified - Date().timeIntervalSince1970) < 60)
            #expect(root.kind == .directory)
            #expect(try await run(.stat(.init("none")), in: folder).value == .status(nil))
            #expect(try await run(.stat(.init("f/x")), in: folder).value == .status(nil))
        }
    }

    @Test func `names are listed and patterns found, sorted`() async throws {
        try await TemporaryFolder.with { folder in
            _ = try await Ran.shell("mkdir 'd[1]'; touch b a 'd[1]/c.txt'", in: folder.path)
            let names = try await run(.listdir(.init(".")), in: folder).value
            #expect(names == .names(["a", "b", "d[1]"]))
            let found = try await run(.glob(.init("*/c.*")), in: folder).value
            #expect(found == .names(["d[1]/c.txt"]))
            #expect(try await run(.glob(.init("*.none")), in: folder).value == .names([]))
            let absolute = try await run(.glob(.init("\(folder.path)/[ab]")), in: folder).value
            #expect(absolute == .names(["\(folder.path)/a", "\(folder.path)/b"]))
            let inside = LocalWorker(root: "\(folder.path)/d[1]")
            #expect(try await inside.run(.glob(.init("*"))) { _ in }.value == .names(["c.txt"]))
            let error = try await failure(of: .listdir(.init("none")), in: folder)
            #expect(error.code == .notFound)
            #expect(error.message.contains("\(folder.path)/none"))
        }
    }
}
