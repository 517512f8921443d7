import FoundationEssentials
import Glibc
import MasterTesting
import Synchronization
import Testing

@testable import MasterHTTP

@Suite(.timeLimit(.minutes(1)))
struct FileBodyTests {
    @Test(arguments: [0, 1, 100_000, 131_072, 5_000_000])
    func `a file is sent as it is, and again after a redirect`(size: Int) async throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        try await withTemporaryFolder { folder in
            let path = "\(folder)/body.bin"
            try Data(content).write(to: URL(filePath: path))
            let handler: LoopbackServer.Handler = { request in
                request.path == "/end" ? .text("ok") : .redirect(308, to: "/end")
            }
            try await withLoopbackServer(handler: handler) { server in
                try await withHTTPClient { client in
                    let body = HTTPBody.file(path: path, contentType: "application/octet-stream")
                    _ = try await client.send(HTTPRequest(.put, server.url, body: body))
                    for request in server.requests {
                        #expect(request.body == content)
                        #expect(request.header("Content-Length") == "\(size)")
                        #expect(request.header("Content-Type") == "application/octet-stream")
                        #expect(request.header("Expect") == nil)
                    }
                    #expect(server.requests.count == 2)
                }
            }
        }
    }

    @Test func `a digest challenge gets the file whole`() async throws {
        let content = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\""
        try await withTemporaryFolder { folder in
            let path = "\(folder)/body.bin"
            try Data(content).write(to: URL(filePath: path))
            try await withLoopbackServer(handler: { request in
                request.header("Authorization") == nil
                    ? .respond(status: 401, headers: [("WWW-Authenticate", challenge)])
                    : .text("ok")
            }) { server in
                try await withHTTPClient { client in
                    var request = HTTPRequest(
                        .put, server.url, body: .file(path: path, contentType: nil))
                    request.authentication = .digest(user: "u", password: "p")
                    let status = try await client.send(request).status
                    #expect(status == 200)
                    #expect(server.requests.last?.body == content)
                }
            }
        }
    }

    @Test func `files that cannot be opened yet hold up no other request`() async throws {
        try await withSlowFiles(8) { files in
            try await withLoopbackServer { server in
                try await withHTTPClient { client in
                    try await withThrowingTaskGroup(of: Int.self) { group in
                        for path in files.paths {
                            group.addTask {
                                let body = HTTPBody.file(path: path, contentType: nil)
                                return try await client.send(
                                    HTTPRequest(.put, "\(server.url)/slow", body: body)
                                ).status
                            }
                        }
                        try await files.waitUntilOpened()
                        for _ in 0..<10 {
                            let status = try await client.send(HTTPRequest(.get, server.url)).status
                            #expect(status == 200)
                        }
                        #expect(server.requests.allSatisfy { $0.path == "/" })
                        try files.release()
                        for try await status in group { #expect(status == 200) }
                    }
                    let bodies = server.requests.filter { $0.path == "/slow" }.map(\.text)
                    #expect(bodies == Array(repeating: "content", count: 8))
                }
            }
        }
    }

    @Test func `a file that is not read in time is named`() async throws {
        try await withSlowFiles(1) { files in
            try await withLoopbackServer { server in
                try await withHTTPClient { client in
                    let body = HTTPBody.file(path: files.paths[0], contentType: nil)
                    var request = HTTPRequest(.put, server.url, body: body)
                    request.timeout.silence = .milliseconds(200)
                    let error = await #expect(throws: HTTPError.self) {
                        try await client.send(request)
                    }
                    #expect(error?.code == .fileUnreadable)
                    #expect(error?.mayHaveArrived == false)
                    #expect(
                        error?.message == "the file \(files.paths[0]) could not be read within "
                            + "0.2 s; check whether its disk or network share hangs")
                    request.timeout = HTTPTimeout(total: .milliseconds(200))
                    await #expect(throws: HTTPError.self) { try await client.send(request) }
                    let task = Task { [request] in
                        var request = request
                        request.timeout = HTTPTimeout()
                        return try await client.send(request)
                    }
                    task.cancel()
                    let cancelled = await #expect(throws: HTTPError.self) { try await task.value }
                    #expect(cancelled?.code == .cancelled)
                    #expect(server.requests.isEmpty)
                }
            }
        }
    }

    @Test func `a file that becomes shorter while it is sent is an error`() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/body.bin"
            try Data(repeating: 1, count: 50_000_000).write(to: URL(filePath: path))
            try await withLoopbackServer(handler: { _ in .text("ok") }) { server in
                try await withHTTPClient { client in
                    let body = HTTPBody.file(path: path, contentType: nil)
                    let request = HTTPRequest(.put, server.url, body: body)
                    let sent = Task { try await client.send(request) }
                    while server.connectionCount == 0 { await Task.yield() }
                    #expect(unsafe truncate(path, 1) == 0)
                    let error = await #expect(throws: HTTPError.self) { try await sent.value }
                    #expect(error?.code == .fileUnreadable)
                    #expect(error?.message.contains("became shorter") == true)
                }
            }
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct FileReaderTests {
    /// The pieces delivered by the reader's queue.
    private final class Pieces: Sendable {
        private let pieces = Mutex<[FileReader.Piece]>([])

        func append(_ piece: FileReader.Piece) {
            pieces.withLock { $0.append(piece) }
        }

        func next() async -> FileReader.Piece {
            while true {
                if let piece = pieces.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                    return piece
                }
                await Task.yield()
            }
        }
    }

    @Test func `bytes are waited for, read ahead, and read again after going back`() async throws {
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }
        let spool = try SpooledBody()
        try await spool.append(content)
        let pieces = Pieces()
        let source = BodySource(FileReader(.spooled(spool)) { pieces.append($0) })
        #expect(source.length == content.count)
        #expect(try take(source) == nil)
        #expect(source.isWaiting)

        for _ in 1...2 {
            var sent: [UInt8] = []
            var waits = 0
            while sent.count < content.count {
                if let part = try take(source) {
                    sent += part
                } else {
                    waits += 1
                    source.accept(await pieces.next())
                    #expect(!source.isWaiting)
                }
            }
            #expect(sent == content)
            #expect(waits >= 3)
            #expect(try take(source) == [])
            #expect(source.rewind(to: 0))
        }
        #expect(!source.rewind(to: content.count + 1))
    }

    private func take(_ source: BodySource) throws -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: 50_000)
        let count = try unsafe room.withUnsafeMutableBytes { room in
            try unsafe source.read(into: room)
        }
        return count.map { Array(room.prefix($0)) }
    }
}

/// Regular files with a lease held by the test: opening one blocks until the lease is released, as
/// on a network share that hangs.
private struct SlowFiles {
    let paths: [String]
    private let descriptors: [Int32]

    init(_ count: Int, in folder: String) throws {
        paths = (0..<count).map { "\(folder)/slow-\($0)" }
        var descriptors: [Int32] = []
        for path in paths {
            try Data("content".utf8).write(to: URL(filePath: path))
            let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
            try #require(descriptor >= 0)
            descriptors.append(descriptor)
            // The default signal, SIGIO, would terminate the process.
            try #require(fcntl(descriptor, Self.setSignal, SIGURG) == 0)
            try #require(fcntl(descriptor, Self.setLease, F_WRLCK) == 0)
        }
        self.descriptors = descriptors
    }

    /// Waits until each of them is being opened, which breaks the lease.
    func waitUntilOpened() async throws {
        for descriptor in descriptors {
            while fcntl(descriptor, Self.getLease) == F_WRLCK { await Task.yield() }
        }
    }

    func release() throws {
        for descriptor in descriptors {
            try #require(fcntl(descriptor, Self.setLease, F_UNLCK) == 0)
        }
    }

    func close() {
        for descriptor in descriptors { _ = Glibc.close(descriptor) }
    }

    private static let setSignal: Int32 = 10
    private static let setLease: Int32 = 1024
    private static let getLease: Int32 = 1025
}

private func withSlowFiles(
    _ count: Int, _ body: (SlowFiles) async throws -> Void
) async throws {
    try await withTemporaryFolder { folder in
        let files = try SlowFiles(count, in: folder)
        defer { files.close() }
        try await body(files)
    }
}
