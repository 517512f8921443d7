import FoundationEssentials
import MasterWorkers
import NIOCore
import NIOPosix
import OrderedCollections
import Testing

/// A worker that sends what a test wants it to send.
struct WireWorker {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received: [UInt8] = []
    private var nextNumber = 0
    /// The reason in the master's close frame.
    private(set) var reason: String?

    /// Connects as a worker, and disconnects after a closure.
    static func connected<Value>(
        to port: Int, as login: String = "w1:a:b",
        _ body: (inout WireWorker) async throws -> Value
    ) async throws -> Value {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            let lines = [
                "GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: WebSocket",
                "Authorization: Basic \(Data(login.utf8).base64EncodedString())",
                "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==", "Sec-WebSocket-Version: 13",
            ]
            try await outbound.write(
                ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n"))
            var worker = WireWorker(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            let end = Array("\r\n\r\n".utf8)
            while worker.received.firstRange(of: end) == nil, try await worker.read() {}
            let head = try #require(worker.received.firstRange(of: end))
            #expect(String(decoding: worker.received[..<12], as: UTF8.self) == "HTTP/1.1 101")
            worker.received.removeFirst(head.upperBound)
            return try await body(&worker)
        }
    }

    private init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    private mutating func read() async throws -> Bool {
        do {
            guard let part = try await inbound.next(isolation: #isolation) else { return false }
            received += part.readableBytesView
            return true
        } catch is IOError {
            return false
        }
    }

    // MARK: Messages

    /// Sends bytes as they are; the master may have closed the connection.
    func send(bytes: [UInt8]) async {
        do {
            try await outbound.write(ByteBuffer(bytes: bytes))
        } catch {
            // The test reads what the master had to say.
        }
    }

    /// Sends a binary message, in a frame whose mask is all zeros.
    func send(message: [UInt8]) async {
        let length = (0..<8).map { UInt8(truncatingIfNeeded: message.count >> (56 - 8 * $0)) }
        await send(bytes: [0x82, 0xFF] + length + [0, 0, 0, 0] + message)
    }

    /// Sends a request.
    mutating func send(
        _ operation: MessagePack, _ values: OrderedDictionary<String, MessagePack> = [:]
    ) async {
        var message: OrderedDictionary<String, MessagePack> = [
            "op": operation, "seq_number": .int(Int64(nextNumber)),
        ]
        nextNumber += 1
        message.merge(values) { $1 }
        await send(message: MessagePack.map(message).encoded)
    }

    /// Answers a request of the master.
    func answer(_ request: MessagePack, _ result: MessagePack = nil) async {
        await send(
            message: MessagePack.map([
                "op": "response", "seq_number": request["seq_number"] ?? nil, "result": result,
            ]).encoded)
    }

    /// The next message; `nil` once the master has closed the connection.
    mutating func next() async throws -> MessagePack? {
        while true {
            if received.count >= 2 {
                let size = [126: 2, 127: 8][Int(received[1] & 0x7F)] ?? 0
                if received.count >= 2 + size {
                    let length =
                        size == 0
                        ? Int(received[1] & 0x7F)
                        : received[2..<2 + size].reduce(0) { $0 << 8 | Int($1) }
                    if received.count >= 2 + size + length {
                        let opcode = received[0] & 0x0F
                        let content = Array(received[2 + size..<2 + size + length])
                        received.removeFirst(2 + size + length)
                        if opcode == 2 { return try MessagePack(decoding: content) }
                        guard opcode == 8 else { continue }
                        reason = String(decoding: content.dropFirst(2), as: UTF8.self)
                        return nil
                    }
                }
            }
            guard try await read() else { return nil }
        }
    }

    // MARK: Commands

    /// Answers the handshake, up to its last command.
    mutating func attach(basedir: String) async throws {
        while let message = try await next() {
            switch message["op"]?.text {
            case "get_worker_info": await answer(message, Self.info(basedir: basedir))
            case "start_command":
                await answer(message)
                return await end(message["command_id"] ?? nil)
            case "response": continue
            default: await answer(message)
            }
        }
    }

    /// Answers the master until it closes the connection.
    ///
    /// - Returns: What a stock worker would have written to its log.
    mutating func rest() async throws -> [String] {
        var texts: [String] = []
        while let message = try await next() {
            if message["op"] == "response" { continue }
            if let text = message["message"]?.text { texts.append(text) }
            await answer(message)
        }
        return texts
    }

    /// The next command, after answering all else that the master asks for.
    mutating func nextCommand(
        basedir: String
    ) async throws -> (id: MessagePack, name: String, arguments: MessagePack)? {
        while let message = try await next() {
            switch message["op"]?.text {
            case "get_worker_info": await answer(message, Self.info(basedir: basedir))
            case "start_command":
                await answer(message)
                let arguments = message["args"] ?? nil
                let words = arguments["command"]?.list?.map { $0.text ?? "" } ?? []
                // A script of the master's own: nothing is left of lost builds, and no path is a
                // link.
                if words.count > 3, words[3] == "buildmaster", !words[2].hasPrefix("command -v") {
                    let isLinkTest = words[2].hasPrefix("[ -L")
                    await end(message["command_id"] ?? nil, [["rc", isLinkTest ? 1 : 0]])
                    continue
                }
                return (
                    message["command_id"] ?? nil, message["command_name"]?.text ?? "", arguments
                )
            case "response": continue
            default: await answer(message)
            }
        }
        return nil
    }

    /// The id of the first command that runs a program; those before it succeed.
    mutating func program(basedir: String) async throws -> MessagePack {
        while true {
            let command = try #require(try await nextCommand(basedir: basedir))
            if command.name == "shell" { return command.id }
            await end(command.id)
        }
    }

    /// Sends an update of a command.
    mutating func update(_ id: MessagePack, _ pairs: MessagePack) async {
        await send("update", ["command_id": id, "args": pairs])
    }

    /// Ends a command with its last update.
    mutating func end(_ id: MessagePack, _ pairs: MessagePack = [["rc", 0]]) async {
        await update(id, pairs)
        await send("complete", ["command_id": id, "args": nil])
    }

    private static func info(basedir: String) -> MessagePack {
        let names = [
            "shell", "mkdir", "rmdir", "cpdir", "stat", "glob", "listdir", "upload_file",
            "download_file",
        ]
        return .map([
            "version": "4.3.0", "system": "posix", "basedir": .text(basedir), "environ": .map([:]),
            "worker_commands": .map(
                OrderedDictionary(uniqueKeysWithValues: names.map { ($0, "3.3") })),
        ])
    }
}
