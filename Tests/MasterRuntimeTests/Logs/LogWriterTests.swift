import Dispatch
import FoundationEssentials
import MasterKit
import Synchronization
import SystemPackage
import Testing

@testable import MasterRuntime

/// Writing logs to files.
struct LogWriterTests {
    private let queue = DispatchQueue(label: "test.logs")

    private func with<Value>(
        mask: SecretMask = SecretMask([]), limit: LogLimit = .standard,
        observe: LogWriter.Observer? = nil,
        _ body: (LogWriter, String) async throws -> Value
    ) async throws -> Value {
        try await MasterBench.with("") { bench in
            let path = "\(bench.folder)/logs/1/1-stdio.log"
            let writer = try await LogWriter.create(
                path, mask: mask, limit: limit, queue: queue, observe: observe)
            return try await body(writer, path)
        }
    }

    private func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    @Test func `what is written is in the file when the log is closed`() async throws {
        try await with { writer, path in
            try await writer.line("one")
            try await writer.write(Array("two\nthr".utf8)[...], to: .stderr)
            try await writer.line("four", to: .header)
            #expect(try await writer.close() == 4)
            #expect(try read(path) == "oone\netwo\nethr\nhfour\n")
        }
    }

    @Test func `a secret that a header divides is masked all the same`() async throws {
        let mask = SecretMask([(name: "token", value: "s3cr3t-value")])
        try await with(mask: mask) { writer, path in
            try await writer.write(Array("it is s3cr3t-".utf8)[...], to: .stdout)
            try await writer.line("timed out", to: .header)
            try await writer.write(Array("value, done\n".utf8)[...], to: .stdout)
            #expect(try await writer.close() == 3)
            #expect(try read(path) == "oit is \nhtimed out\no<token>, done\n")
        }
    }

    @Test func `lines of the master keep their place, whatever they end with`() async throws {
        // In hexadecimal, the secret begins with 7.
        let mask = SecretMask([(name: "token", value: "s3cr3t-value")])
        try await with(mask: mask) { writer, path in
            try await writer.line("Content-Length: 7", to: .header)
            try await writer.line("Content")
            #expect(try await writer.close() == 2)
            #expect(try read(path) == "hContent-Length: 7\noContent\n")
        }
    }

    @Test func `whole lines keep their order though they end like a secret begins`() async throws {
        let mask = SecretMask([(name: "token", value: "Жук-1234"), (name: "two", value: "a\nbcd")])
        #expect(Array("Жук".utf8).starts(with: [0xD0]), "which is 0 in base64")
        try await with(mask: mask) { writer, path in
            try await writer.line("Status: 200")
            try await writer.line("Headers: a", to: .header)
            try await writer.write(Array("it is Жук".utf8)[...], to: .stdout)
            try await writer.line("0", to: .stderr)
            try await writer.line("-1234")
            #expect(try await writer.close() == 4)
            let lines = "oStatus: 200\nhHeaders: a\ne0\noit is <token>\n"
            #expect(try read(path) == lines)
        }
    }

    @Test func `an empty log is an empty file`() async throws {
        try await with { writer, path in
            let count = try await writer.close()
            #expect(count == 0)
            #expect(try read(path).isEmpty)
        }
    }

    @Test func `of what is beyond the limit the end is kept, and the log says how much is missing`()
        async throws
    {
        let limit = LogLimit(byteCount: 200)
        let mask = SecretMask([(name: "token", value: "s3cr3t-value")])
        let seen = Mutex<[UInt8]>([])
        try await with(
            mask: mask, limit: limit, observe: { lines in seen.withLock { $0 += lines.value } }
        ) { writer, path in
            try await writer.line("begin", to: .header)
            for number in 100...999 { try await writer.line("number \(number)") }
            try await writer.write(Array("no end".utf8)[...], to: .stderr)
            try await writer.line("the end with s3cr3t-value", to: .header)
            let count = try await writer.close()
            let lines = (100...115).map { "onumber \($0)\n" }.joined()
            let told = "hlog truncated after 199 bytes: raise max_log_size\n"
            let end =
                "h10440 bytes dropped; the end of the log follows\n"
                + (986...999).map { "onumber \($0)\n" }.joined()
                + "eno end\nhthe end with <token>\n"
            #expect(try read(path) == "hbegin\n\(lines)\(told)\(end)")
            #expect(count == 35)
            let shown = seen.withLock { String(decoding: $0, as: UTF8.self) }
            #expect(try read(path) == shown)
        }
    }

    @Test func `without a limit a log takes everything, and a limit is never much exceeded`()
        async throws
    {
        let piece = Array(String(repeating: "0123456789abcde\n", count: 65536).utf8)
        for (limit, range) in [
            (LogLimit(byteCount: nil), 70 << 20...80 << 20),
            (.standard, 64 << 20...(64 << 20) + (64 << 10) + 4096),
        ] {
            try await with(limit: limit) { writer, path in
                for _ in 1...70 { try await writer.write(piece[...], to: .stdout) }
                for _ in 1...70 { try await writer.line("told", to: .header) }
                _ = try await writer.close()
                let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
                #expect(range.contains(try #require(size)))
            }
        }
    }

    @Test func `headers of any number do not fill the disk`() async throws {
        try await with(limit: LogLimit(byteCount: 100)) { writer, path in
            for _ in 1...100_000 { try await writer.line("told again", to: .header) }
            _ = try await writer.close()
            #expect(try read(path).utf8.count < 80 << 10)
        }
    }

    @Test(arguments: ["pipe", "link", "file"])
    func `what stands at the path is replaced, neither opened nor followed`(
        _ kind: String
    ) async throws {
        try await MasterBench.with("") { bench in
            let path = "\(bench.folder)/stdio.log"
            try bench.write("precious", to: "other")
            switch kind {
            case "pipe":
                _ = try await LocalWorker(root: bench.folder).run(
                    .shell(.init(["mkfifo", path], in: bench.folder))
                ) { _ in }
            case "link":
                try FileManager.default.createSymbolicLink(
                    atPath: path, withDestinationPath: "\(bench.folder)/other")
            default: try bench.write("old", to: "stdio.log")
            }
            let writer = try await LogWriter.create(path, mask: SecretMask([]), queue: queue)
            try await writer.line("new")
            _ = try await writer.close()
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.type] as? FileAttributeType == .typeRegular)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try read(path) == "onew\n")
            #expect(try bench.read("\(bench.folder)/other") == "precious")
        }
    }

    @Test(arguments: ["1/1-stdio.log", "1/7/1-stdio.log"])
    func `a link in place of the folder of a builder or build is not followed`(
        file: String
    ) async throws {
        try await MasterBench.with("steps: []") { bench in
            try FileManager.default.createDirectory(
                atPath: bench.folder + "/elsewhere", withIntermediateDirectories: true)
            try bench.write("precious", to: "elsewhere/1-stdio.log")
            try FileManager.default.createSymbolicLink(
                atPath: bench.folder + "/1", withDestinationPath: bench.folder + "/elsewhere")
            let path = "\(bench.folder)/\(file)"
            let fault = await #expect(throws: LogFault.self) {
                try await LogWriter.create(path, mask: SecretMask([]), queue: queue)
            }
            #expect(
                fault?.description
                    == "the log \(path) cannot be written: Not a directory; remove what is in "
                    + "the place of its folder")
            #expect(try bench.read(bench.folder + "/elsewhere/1-stdio.log") == "precious")
            #expect(try bench.files(in: bench.folder + "/elsewhere").count == 1)
        }
    }

    @Test func `only its owner can see what is in the folder of the logs`() async throws {
        try await with { writer, path in
            _ = try await writer.close()
            let folder = URL(filePath: path).deletingLastPathComponent().path
            let attributes = try FileManager.default.attributesOfItem(atPath: folder)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test func `observers get the lines of the file, in order`() async throws {
        let seen = Mutex<[UInt8]>([])
        try await with(observe: { lines in seen.withLock { $0 += lines.value } }) { writer, path in
            for number in 1...100 { try await writer.line("line \(number)") }
            try await writer.write(Array("no end".utf8)[...], to: .stdout)
            #expect(try await writer.close() == 101)
            let text = seen.withLock { String(decoding: $0, as: UTF8.self) }
            #expect(try read(path) == text)
        }
    }

    @Test(arguments: [1, 2, 3, 5, 64])
    func `a secret is masked however the output is divided`(_ pieceCount: Int) async throws {
        let mask = SecretMask([(name: "token", value: "s3cr3t-value")])
        try await with(mask: mask) { writer, path in
            let text = "a s3cr3t-value b\ns3cr3t-vaXue s3cr3t-value"
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                try await writer.write(rest.prefix(pieceCount), to: .stdout)
                try await writer.write(Array("e\n".utf8)[...], to: .stderr)
                rest = rest.dropFirst(pieceCount)
            }
            _ = try await writer.close()
            let own = try read(path).split(separator: "\n").filter { $0.hasPrefix("o") }
            #expect(own == ["oa <token> b", "os3cr3t-vaXue <token>"])
        }
    }

    @Test func `a long output arrives whole`() async throws {
        let piece = Array(String(repeating: "0123456789abcde\n", count: 4096).utf8)
        let count = 100
        try await with { writer, path in
            for _ in 1...count { try await writer.write(piece[...], to: .stdout) }
            let lineCount = try await writer.close()
            #expect(lineCount == count * 4096)
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            #expect(size == count * (piece.count + 4096))
        }
    }

    @Test func `who writes faster than the disk waits for it`() async throws {
        let piece = [UInt8](repeating: 0x78, count: 64 << 10) + [0x0A]
        let count = LogWriter.bound / piece.count
        let written = Journal<Int>()
        try await with { writer, path in
            queue.suspend()
            async let writing: Void = {
                for number in 1...100 {
                    try await writer.write(piece[...], to: .stdout)
                    written.add(number)
                }
            }()
            await written.wait(for: count)
            for _ in 1...1000 { await Task.yield() }
            #expect(written.entries.count <= count + 1)
            queue.resume()
            try await writing
            let lineCount = try await writer.close()
            #expect(lineCount == 100)
        }
    }

    // MARK: Faults

    @Test func `a path that can't be made is a clear error`() async throws {
        try await MasterBench.with("") { bench in
            try bench.write("no folder", to: "logs")
            let path = "\(bench.folder)/logs/1/1-stdio.log"
            let error = await #expect(throws: LogFault.self) {
                try await LogWriter.create(path, mask: SecretMask([]), queue: queue)
            }
            let message = error?.description ?? ""
            #expect(message.hasPrefix("the log \(path) cannot be written: the folder "))
            #expect(message.hasSuffix("(Not a directory); check what is at the path"))
        }
    }

    @Test func `a full disk is a clear error, also when it shows only at the end`() async throws {
        let writer = try full()
        try await writer.line("one")
        let error = await #expect(throws: LogFault.self) { try await writer.close() }
        #expect(error?.description.contains("No space left on device; free disk space") == true)
    }

    /// A log on a disk that is full.
    private func full() throws -> LogWriter {
        LogWriter(
            try FileDescriptor.open(FilePath("/dev/full"), .writeOnly), "/full.log", SecretMask([]),
            .standard, queue, nil, { _ in })
    }

    @Test func `a writer that goes on after a full disk is told so`() async throws {
        let writer = try full()
        let piece = [UInt8](repeating: 0x78, count: 1 << 20) + [0x0A]
        await #expect(throws: LogFault.self) {
            for _ in 1...1000 { try await writer.write(piece[...], to: .stdout) }
        }
        await #expect(throws: LogFault.self) { try await writer.close() }
    }
}
