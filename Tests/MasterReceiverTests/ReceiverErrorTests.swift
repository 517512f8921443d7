import MasterReceiver
import Testing

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
                    == "the receiver cannot listen on \(receiver.address): another program does; "
                    + "end that one, or choose another port (0 takes any free one)"
            )
        }
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("no-such-host.invalid", "no host is called 'no-such-host.invalid'"),
            ("192.0.2.1", "this machine does not have that address"),
        ]
    )
    func `a host that is not this machine's is an error with a remedy`(
        host: String,
        message: String
    ) async throws {
        let configuration = ReceiverConfiguration(address: ReceiverAddress(host: host, port: 0))
        let error = await #expect(throws: ReceiverError.self) {
            try await Receiver.run(configuration, onRequest: { _ in }) { _ in }
        }
        #expect(error?.code == .badHost)
        #expect(error?.message.contains(message) == true)
    }
}
