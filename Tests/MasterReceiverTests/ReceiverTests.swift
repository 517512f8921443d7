import MasterReceiver
import Testing

struct ReceiverTests {
    private static let anyPort = ReceiverConfiguration(address: ReceiverAddress(port: 0))

    /// Runs a receiver on a free port and returns the result of the closure and the received
    /// requests.
    private func receive(
        _ configuration: ReceiverConfiguration = anyPort,
        _ body: (ReceiverAddress, ReceivedRequests) async throws -> String
    ) async throws -> (answer: String, requests: [ReceivedRequest]) {
        let requests = ReceivedRequests()
        let answer = try await Receiver.run(configuration, onRequest: { requests.add($0) }) {
            try await body($0.address, requests)
        }
        return (answer, requests.list)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a request arrives with method, target, headers and body as they were sent`() async throws
    {
        let (answer, requests) = try await receive { address, _ in
            try await RawConnection(to: address).exchange([
                "POST /status?a=1&b=%20x HTTP/1.1\r\nHost: here\r\nX-Two: b\r\nx-one: a\r\n",
                "Connection: close\r\nContent-Length: 11\r\n\r\nhello", " world",
            ])
        }
        let request = try #require(requests.first)
        #expect(request.number == 1)
        #expect(request.method == "POST")
        #expect(request.target == "/status?a=1&b=%20x")
        #expect(
            request.headers.map(\.name) == [
                "Host", "X-Two", "x-one", "Connection", "Content-Length",
            ]
        )
        #expect(request.header("HOST") == "here")
        #expect(String(decoding: request.body, as: UTF8.self) == "hello world")
        #expect(request.extent == .whole)
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "HEAD"])
    func `any method is accepted`(method: String) async throws {
        let (answer, requests) = try await receive { address, _ in
            try await RawConnection(to: address).exchange([
                "\(method) /deep/path HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
            ])
        }
        #expect(requests.map(\.method) == [method])
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test(.timeLimit(.minutes(1)))
    func `a body in chunks is put together`() async throws {
        let (_, requests) = try await receive { address, _ in
            try await RawConnection(to: address).exchange([
                "POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n",
                "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "2\r\nde\r\n0\r\n\r\n",
            ])
        }
        #expect(requests.map(\.body) == [Array("abcde".utf8)])
    }

    @Test(.timeLimit(.minutes(1)))
    func `requests of one connection are numbered in order`() async throws {
        let one = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1"
        let two = "POST /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\n2"
        let (answer, requests) = try await receive { address, _ in
            try await RawConnection(to: address).exchange([one + two])
        }
        #expect(requests.map(\.number) == [1, 2])
        #expect(requests.map(\.target) == ["/a", "/b"])
        #expect(answer.split(separator: "HTTP/1.1 200 OK").count == 2)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [201, 302, 404, 500, 503])
    func `the configured status is answered`(status: Int) async throws {
        var configuration = Self.anyPort
        configuration.status = status
        let (answer, _) = try await receive(configuration) { address, _ in
            try await RawConnection(to: address).exchange([
                "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            ])
        }
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
    }

    @Test(.timeLimit(.minutes(1)))
    func `the answer comes after the delay`() async throws {
        var configuration = Self.anyPort
        configuration.delay = .milliseconds(150)
        let start = ContinuousClock.now
        let (answer, _) = try await receive(configuration) { address, _ in
            try await RawConnection(to: address).exchange([
                "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            ])
        }
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(ContinuousClock.now - start >= .milliseconds(150))
    }

    @Test(.timeLimit(.minutes(1)))
    func `the end does not wait for a delayed answer`() async throws {
        var configuration = Self.anyPort
        configuration.delay = .seconds(3600)
        let (_, requests) = try await receive(configuration) { address, requests in
            let connection = try await RawConnection(to: address)
            try await connection.sendAndClose("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await requests.wait(for: 1)
            return ""
        }
        #expect(requests.count == 1)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func `a body over the limit is answered with 413 and not kept`(announced: Bool) async throws {
        var configuration = Self.anyPort
        configuration.bodyLimit = 10
        let body =
            announced
            ? "Content-Length: 11\r\n\r\n01234567890"
            : "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n"
        let (answer, requests) = try await receive(configuration) { address, _ in
            try await RawConnection(to: address).exchange([
                "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + body
            ])
        }
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
        #expect(requests.map(\.extent) == [.tooLarge])
        #expect(requests.map(\.body) == [[]])
    }

    @Test(.timeLimit(.minutes(1)))
    func `a request that ends half-way is said to be cut short`() async throws {
        let (_, requests) = try await receive { address, requests in
            try await RawConnection(to: address).sendAndClose(
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nonly this")
            await requests.wait(for: 1)
            return ""
        }
        #expect(requests.map(\.extent) == [.cutShort])
        #expect(requests.map { String(decoding: $0.body, as: UTF8.self) } == ["only this"])
    }

    @Test(.timeLimit(.minutes(1)))
    func `what is no HTTP gets 400 and is not handed on`() async throws {
        let (answer, requests) = try await receive { address, _ in
            try await RawConnection(to: address).exchange(["\u{16}\u{3}\u{1} hello\r\n\r\n"])
        }
        #expect(answer.hasPrefix("HTTP/1.1 400 "))
        #expect(requests.isEmpty)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a sender that waits to be told to go on is told so`() async throws {
        let (answer, requests) = try await receive { address, _ in
            try await RawConnection(to: address).exchange([
                "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 2\r\n\r\n", "ok",
            ])
        }
        #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n"))
        #expect(answer.contains("HTTP/1.1 200 OK"))
        #expect(requests.map(\.body) == [Array("ok".utf8)])
    }

    @Test(.timeLimit(.minutes(1)))
    func `an error of the body comes out and the port is free again`() async throws {
        struct Stop: Error {}
        var address = ReceiverAddress(port: 0)
        await #expect(throws: Stop.self) {
            try await Receiver.run(Self.anyPort, onRequest: { _ in }) { receiver in
                address = receiver.address
                throw Stop()
            }
        }
        let again = ReceiverConfiguration(address: address)
        let second = try await Receiver.run(again, onRequest: { _ in }) { $0.address }
        #expect(second == address)
    }
}

struct ReceiverErrorTests {
    @Test(.timeLimit(.minutes(1)))
    func `a port that is taken is an error with a remedy`() async throws {
        let first = ReceiverConfiguration(address: ReceiverAddress(port: 0))
        try await Receiver.run(first, onRequest: { _ in }) { receiver in
            let second = ReceiverConfiguration(address: receiver.address)
            let error = await #expect(throws: ReceiverError.self) {
                try await Receiver.run(second, onRequest: { _ in }) { _ in }
            }
            #expect(error?.code == .portTaken)
            #expect(
                error?.message
                    == "the receiver cannot listen on \(receiver.address): the port is in use; "
                    + "stop the other program, or choose another port (0 for any free one)"
            )
        }
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("no-such-host.invalid", "unknown host 'no-such-host.invalid'"),
            ("192.0.2.1", "this machine does not have that address"),
        ]
    )
    func `a host that is not this machine's is an error with a remedy`(
        host: String, message: String
    ) async throws {
        let configuration = ReceiverConfiguration(address: ReceiverAddress(host: host, port: 0))
        let error = await #expect(throws: ReceiverError.self) {
            try await Receiver.run(configuration, onRequest: { _ in }) { _ in }
        }
        #expect(error?.code == .badHost)
        #expect(error?.message.contains(message) == true)
    }
}

struct ReceiverAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8000", "127.0.0.1", 8000),
        (":8000", "127.0.0.1", 8000),
        ("8000", "127.0.0.1", 8000),
        ("0.0.0.0", "0.0.0.0", 9980),
        ("localhost:0", "localhost", 0),
        ("[::1]:8000", "::1", 8000),
        ("[::1]", "::1", 9980),
    ])
    func `an address may leave out host or port`(text: String, host: String, port: Int) {
        #expect(ReceiverAddress(text) == ReceiverAddress(host: host, port: port))
    }

    @Test(arguments: [
        "", ":", "host:", "host:port", "host:65536", "host:-1", "[::1", "[]:80", "[::1]80",
        "a b:80", "::1", "http://host:80",
    ])
    func `anything else is refused`(text: String) {
        #expect(ReceiverAddress(text) == nil)
    }

    @Test func `an IPv6 number is written in brackets`() {
        #expect(ReceiverAddress(host: "::1", port: 80).description == "[::1]:80")
        #expect(ReceiverAddress().description == "127.0.0.1:9980")
    }
}
