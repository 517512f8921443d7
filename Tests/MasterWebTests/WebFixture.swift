import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import MasterWebSocket
import NIOCore
import NIOPosix
import StandardPlugins
import Testing

@testable import MasterWeb

/// A master with its web server, as a client sees it.
struct Web: Sendable {
    let master: Master
    let server: WebServer
    let port: Int
    let folder: String
    let secrets: SecretValues

    /// An answer as it came.
    struct Answer {
        let head: String
        let body: String

        var status: Int { Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0 }

        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").first {
                $0.lowercased().hasPrefix(name.lowercased() + ":")
            }.map { String($0.dropFirst(name.count + 1).drop { $0 == " " }) }
        }

        /// The name and the value of the cookie that it sets.
        var cookie: String? {
            header("Set-Cookie")?.split(separator: ";").first.map(String.init)
        }
    }

    func get(_ path: String, host: String? = nil, _ headers: String...) async throws -> Answer {
        let host = host ?? "localhost:\(port)"
        let lines = ["GET \(path) HTTP/1.1", "Host: \(host)"] + headers + ["Connection: close"]
        return try await send(lines.joined(separator: "\r\n") + "\r\n\r\n")
    }

    func post(_ path: String, _ body: String, _ headers: String...) async throws -> Answer {
        let lines =
            [
                "POST \(path) HTTP/1.1", "Host: localhost:\(port)",
                "Content-Length: \(body.utf8.count)",
            ] + headers + ["Connection: close"]
        return try await send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    func logIn(_ name: String, _ password: String) async throws -> Answer {
        try await post(
            "/auth/login", "username=\(name)&password=\(password)",
            "Content-Type: application/x-www-form-urlencoded")
    }

    /// Sends exact bytes, and reads until the server closes the connection.
    func send(_ text: String) async throws -> Answer {
        var received = ""
        do {
            try await connect().executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: text))
                for try await part in inbound { received += String(buffer: part) }
            }
        } catch let error as IOError {
            // The server has cut the connection, with part of the request unread.
            #expect(!received.isEmpty, "\(error)")
        }
        let end = received.firstRange(of: "\r\n\r\n")
        return Answer(
            head: String(received[..<(end?.lowerBound ?? received.endIndex)]),
            body: String(received[(end?.upperBound ?? received.endIndex)...]))
    }

    func connect() async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// Builds once, and waits for the end.
    func build(reason: String) async throws {
        let submission = try await master.submit(BuildsetRequest(reason: reason))
        _ = try await master.wait(for: submission)
    }

    /// Another configuration for the same master.
    func configuration(_ yaml: String) throws -> (MasterConfiguration, SecretValues) {
        (try loadedConfiguration(yaml, in: folder), secrets)
    }

    /// Runs a closure with a WebSocket.
    func webSocket(_ body: (inout TestSocket) async throws -> Void) async throws {
        try await connect().executeThenClose { inbound, outbound in
            let head = [
                "GET /ws HTTP/1.1", "Host: localhost:\(port)", "Connection: Upgrade",
                "Upgrade: websocket", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==",
                "Sec-WebSocket-Version: 13", "Origin: http://localhost:\(port)",
            ]
            try await outbound.write(
                ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n"))
            var socket = TestSocket(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            try await socket.finishUpgrade()
            try await body(&socket)
        }
    }
}

/// A client's end of a WebSocket, for small text frames.
struct TestSocket {
    var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received: [UInt8] = []

    init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    mutating func finishUpgrade() async throws {
        let end = Array("\r\n\r\n".utf8)
        while received.firstRange(of: end) == nil { guard try await read() else { break } }
        let range = try #require(received.firstRange(of: end))
        #expect(String(decoding: received[..<range.lowerBound], as: UTF8.self).contains(" 101 "))
        received.removeFirst(range.upperBound)
    }

    func send(_ text: String) async throws {
        let bytes = Array(text.utf8)
        precondition(bytes.count < 126)
        // The mask is all zeros.
        try await outbound.write(
            ByteBuffer(bytes: [0x81, 0x80 | UInt8(bytes.count), 0, 0, 0, 0] + bytes))
    }

    /// The next text; `nil` if the server closes the connection.
    mutating func receive() async throws -> String? {
        while true {
            if received.count >= 2 {
                var (length, start) = (Int(received[1] & 0x7F), 2)
                if length == 126, received.count >= 4 {
                    (length, start) = (Int(received[2]) << 8 | Int(received[3]), 4)
                }
                if length < 126 || start == 4, received.count >= start + length {
                    let opcode = received[0] & 0x0F
                    let payload = Array(received[start..<(start + length)])
                    received.removeFirst(start + length)
                    if opcode == 8 { return nil }
                    if opcode == 1 { return String(decoding: payload, as: UTF8.self) }
                    continue
                }
            }
            guard try await read() else { return nil }
        }
    }

    private mutating func read() async throws -> Bool {
        guard let part = try await inbound.next(isolation: #isolation) else { return false }
        received += part.readableBytesView
        return true
    }
}

/// Runs a master with its web server at a free port.
func withWeb(
    _ yaml: String, secrets: [String: String] = [:],
    limits: WebSocketServerChannel.Limits = .init(), bodyTime: Duration = .seconds(30),
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    _ body: (Web) async throws -> Void
) async throws {
    try await withTemporaryFolder { folder in
        let server = WebServer(
            version: "1", logger: logger, limits: limits, bodyTime: bodyTime)
        var options = Master.Options(
            basedir: folder.path + "/base", slots: 2, resumesRequests: true)
        options.servers = [server]
        let secrets = SecretValues(secrets)
        try await Master.run(
            try loadedConfiguration(yaml, in: folder.path), secrets, options: options,
            logger: logger
        ) { master in
            let address = try #require(server.address)
            let port = try #require(Int(address.split(separator: ":").last?.dropLast() ?? ""))
            try await body(
                Web(
                    master: master, server: server, port: port, folder: folder.path,
                    secrets: secrets))
        }
    }
}

func loadedConfiguration(_ yaml: String, in folder: String) throws -> MasterConfiguration {
    try Data(yaml.utf8).write(to: URL(filePath: folder + "/master.yaml"))
    let loaded = MasterConfiguration.load(
        path: folder + "/master.yaml", registry: try Registry([standardPlugins]), environment: [:])
    #expect(ConfigurationFixture.words(loaded.diagnostics.filter { $0.severity == .error }) == [])
    return try #require(loaded.configuration)
}

/// Runs a program that says little, and returns its output if it succeeds.
///
/// It must end by itself.
@discardableResult
func runTool(_ arguments: [String], environment: [String: String] = [:]) async throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let output = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    let status = try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do {
            try process.run()
        } catch {
            process.terminationHandler = nil
            continuation.resume(throwing: error)
        }
    }
    let text = String(
        decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    #expect(status == 0, "\(arguments.first ?? ""): \(text)")
    return text
}
