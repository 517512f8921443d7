import MasterReceiver
import Testing

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
