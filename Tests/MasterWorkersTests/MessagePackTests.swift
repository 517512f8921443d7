import MasterWorkers
import OrderedCollections
import Testing

/// Values and their bytes, and what is refused.
struct MessagePackTests {
    @Test func `a message has the bytes that stock workers exchange`() {
        let message = MessagePack.map([
            "op": "print", "message": "attached", "seq_number": 0,
        ])
        let bytes: [UInt8] =
            [0x83, 0xa2] + Array("op".utf8) + [0xa5] + Array("print".utf8) + [0xa7]
            + Array("message".utf8) + [0xa8] + Array("attached".utf8) + [0xaa]
            + Array("seq_number".utf8) + [0x00]
        #expect(message.encoded == bytes)
    }

    static let values: [MessagePack] =
        [nil, true, false, .double(1.5), .text(""), .bytes([]), [], .map([:])]
        + [0, 127, 128, 255, 256, 65535, 65536, 4_294_967_295, 4_294_967_296, .max].map { .int($0) }
        + [-1, -32, -33, -129, -32769, -2_147_483_649, .min].map { .int($0) }
        + [31, 32, 255, 256, 65535, 65536].flatMap { length -> [MessagePack] in
            [
                .text(String(repeating: "a", count: length)),
                .bytes([UInt8](repeating: 7, count: length)),
                .list([MessagePack](repeating: nil, count: length)),
                .map(.init(uniqueKeysWithValues: (0..<length).map { ("\($0)", 1) })),
            ]
        }

    @Test func `each value can be read again`() throws {
        for value in Self.values { #expect(try MessagePack(decoding: value.encoded) == value) }
    }

    @Test(arguments: [
        ([], "cut short"), ([0xa5, 0x61], "cut short"),
        ([0xdd, 0xff, 0xff, 0xff, 0xff], "cut short"),
        ([0xc6, 0xff, 0xff, 0xff, 0xff, 0], "cut short"), ([0xc0, 0xc0], "1 bytes follow"),
        ([0xc1], "0xc1"), ([0xc7, 0, 0], "0xc7"), ([0xa1, 0xff], "not valid UTF-8"),
        ([0x81, 0x01, 0x02], "not a text"), ([0x82, 0xa1, 0x61, 0, 0xa1, 0x61, 0], "twice"),
        ([UInt8](repeating: 0x91, count: 100) + [0xc0], "nested deeper"),
        ([0xcf] + [UInt8](repeating: 0xff, count: 8), "larger than"),
        ([0xdd, 0x00, 0x10, 0x00, 0x00] + [UInt8](repeating: 0xc0, count: 0x10_0000), "more than"),
    ])
    func `bytes that are something else are refused`(bytes: [UInt8], words: String) {
        let error = #expect(throws: MessagePackError.self) { try MessagePack(decoding: bytes) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
