package import OrderedCollections

/// A value in MessagePack, the format of the messages between a master and its workers.
package enum MessagePack: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)
    case bytes([UInt8])
    case list([MessagePack])
    case map(OrderedDictionary<String, MessagePack>)

    /// The text, or `nil` if it is something else.
    package var text: String? { if case .text(let text) = self { text } else { nil } }

    /// The bytes, or `nil` if it is something else.
    package var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }

    /// The list, or `nil` if it is something else.
    package var list: [MessagePack]? { if case .list(let list) = self { list } else { nil } }

    /// The integer, or `nil` if it is something else.
    package var int: Int? { if case .int(let number) = self { Int(number) } else { nil } }

    /// The entries, or `nil` if it is not a map.
    package var map: OrderedDictionary<String, MessagePack>? {
        if case .map(let map) = self { map } else { nil }
    }

    /// The value of a key, or `nil` without it.
    package subscript(key: String) -> MessagePack? { map?[key] }

    /// What the value is, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int, .double: "a number"
        case .text: "a text"
        case .bytes: "bytes"
        case .list: "a list"
        case .map: "a map"
        }
    }
}

extension MessagePack: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: MessagePack...) { self = .list(elements) }
    package init(nilLiteral: ()) { self = .null }
}

// MARK: Encoding

extension MessagePack {
    /// The encoded value, in the shortest form.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    private func encode(into out: inout [UInt8]) {
        switch self {
        case .null: out.append(0xc0)
        case .bool(let value): out.append(value ? 0xc3 : 0xc2)
        case .int(let value): Self.encode(value, into: &out)
        case .double(let value):
            out.append(0xcb)
            Self.append(value.bitPattern, to: &out)
        case .text(let text):
            let utf8 = text.utf8
            Self.encode(length: utf8.count, fixed: (0xa0, 31), (0xd9, 0xda, 0xdb), into: &out)
            out += utf8
        case .bytes(let bytes):
            Self.encode(length: bytes.count, fixed: nil, (0xc4, 0xc5, 0xc6), into: &out)
            out += bytes
        case .list(let items):
            Self.encode(length: items.count, fixed: (0x90, 15), (nil, 0xdc, 0xdd), into: &out)
            for item in items { item.encode(into: &out) }
        case .map(let entries):
            Self.encode(length: entries.count, fixed: (0x80, 15), (nil, 0xde, 0xdf), into: &out)
            for (key, value) in entries {
                MessagePack.text(key).encode(into: &out)
                value.encode(into: &out)
            }
        }
    }

    private static func encode(_ value: Int64, into out: inout [UInt8]) {
        switch value {
        case 0...127: out.append(UInt8(value))
        case -32..<0: out.append(UInt8(bitPattern: Int8(value)))
        case 128...0xff:
            out += [0xcc, UInt8(value)]
        case 0x100...0xffff:
            out.append(0xcd)
            append(UInt16(value), to: &out)
        case 0x1_0000...0xffff_ffff:
            out.append(0xce)
            append(UInt32(value), to: &out)
        default:
            out.append(0xd3)
            append(UInt64(bitPattern: value), to: &out)
        }
    }

    /// Encodes a length with the first byte of the shortest form.
    private static func encode(
        length: Int, fixed: (first: UInt8, maximum: Int)?,
        _ codes: (one: UInt8?, two: UInt8, four: UInt8), into out: inout [UInt8]
    ) {
        if let fixed, length <= fixed.maximum {
            out.append(fixed.first | UInt8(length))
        } else if let one = codes.one, length <= 0xff {
            out += [one, UInt8(length)]
        } else if length <= 0xffff {
            out.append(codes.two)
            append(UInt16(length), to: &out)
        } else {
            precondition(length <= 0xffff_ffff, "a value has at most 4 GiB")
            out.append(codes.four)
            append(UInt32(length), to: &out)
        }
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to out: inout [UInt8]) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            out.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }
}

// MARK: Decoding

/// Why bytes are not a MessagePack value.
package struct MessagePackError: Error, CustomStringConvertible {
    /// What is wrong, and at which byte.
    package let description: String
}

extension MessagePack {
    /// The maximum depth of lists and maps.
    package static let maximumDepth = 16
    /// The maximum number of values in one.
    package static let maximumCount = 1_000_000

    /// Decodes exactly one value.
    ///
    /// - Throws: ``MessagePackError`` if the bytes are something else, or exceed a limit.
    package init(decoding bytes: [UInt8]) throws(MessagePackError) {
        var decoder = MessagePackDecoder(bytes)
        self = try decoder.value(depth: 0)
        guard decoder.rest == 0 else {
            throw MessagePackError(
                description: "\(decoder.rest) bytes follow the end of the message")
        }
    }
}

private struct MessagePackDecoder {
    private let bytes: [UInt8]
    private var place = 0
    private var count = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The number of bytes that have not been read.
    var rest: Int { bytes.count - place }

    mutating func value(depth: Int) throws(MessagePackError) -> MessagePack {
        guard depth <= MessagePack.maximumDepth else {
            throw fault("lists and maps are nested deeper than \(MessagePack.maximumDepth) levels")
        }
        count += 1
        guard count <= MessagePack.maximumCount else {
            throw fault("there are more than \(MessagePack.maximumCount) values")
        }
        let first = try number(UInt8.self)
        switch first {
        case 0x00...0x7f: return .int(Int64(first))
        case 0x80...0x8f: return try map(Int(first & 0x0f), depth)
        case 0x90...0x9f: return try list(Int(first & 0x0f), depth)
        case 0xa0...0xbf: return .text(try text(Int(first & 0x1f)))
        case 0xc0: return .null
        case 0xc2: return .bool(false)
        case 0xc3: return .bool(true)
        case 0xc4: return .bytes(try take(Int(try number(UInt8.self))))
        case 0xc5: return .bytes(try take(Int(try number(UInt16.self))))
        case 0xc6: return .bytes(try take(Int(try number(UInt32.self))))
        case 0xca: return .double(Double(Float(bitPattern: try number(UInt32.self))))
        case 0xcb: return .double(Double(bitPattern: try number(UInt64.self)))
        case 0xcc: return .int(Int64(try number(UInt8.self)))
        case 0xcd: return .int(Int64(try number(UInt16.self)))
        case 0xce: return .int(Int64(try number(UInt32.self)))
        case 0xcf:
            guard let value = Int64(exactly: try number(UInt64.self)) else {
                throw fault("an integer is larger than \(Int64.max)")
            }
            return .int(value)
        case 0xd0: return .int(Int64(Int8(bitPattern: try number(UInt8.self))))
        case 0xd1: return .int(Int64(Int16(bitPattern: try number(UInt16.self))))
        case 0xd2: return .int(Int64(Int32(bitPattern: try number(UInt32.self))))
        case 0xd3: return .int(Int64(bitPattern: try number(UInt64.self)))
        case 0xd9: return .text(try text(Int(try number(UInt8.self))))
        case 0xda: return .text(try text(Int(try number(UInt16.self))))
        case 0xdb: return .text(try text(Int(try number(UInt32.self))))
        case 0xdc: return try list(Int(try number(UInt16.self)), depth)
        case 0xdd: return try list(Int(try number(UInt32.self)), depth)
        case 0xde: return try map(Int(try number(UInt16.self)), depth)
        case 0xdf: return try map(Int(try number(UInt32.self)), depth)
        case 0xe0...0xff: return .int(Int64(Int8(bitPattern: first)))
        default: throw fault("values of type 0x\(String(first, radix: 16)) are not used here")
        }
    }

    private mutating func list(
        _ length: Int, _ depth: Int
    ) throws(MessagePackError) -> MessagePack {
        try check(length)
        var items: [MessagePack] = []
        // What is claimed need not follow, and lists may be nested.
        items.reserveCapacity(min(length, 1024))
        for _ in 0..<length { items.append(try value(depth: depth + 1)) }
        return .list(items)
    }

    private mutating func map(_ length: Int, _ depth: Int) throws(MessagePackError) -> MessagePack {
        try check(length)
        var entries = OrderedDictionary<String, MessagePack>(
            minimumCapacity: min(length, 1024))
        for _ in 0..<length {
            guard case .text(let key) = try value(depth: depth + 1) else {
                throw fault("the key of a map is not a text")
            }
            guard entries.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
                throw fault("a map has the key '\(key.shortened)' twice")
            }
        }
        return .map(entries)
    }

    /// Checks that a number of items can follow, each with at least one byte.
    private func check(_ length: Int) throws(MessagePackError) {
        guard length <= rest else { throw cutShort }
        guard length <= MessagePack.maximumCount else {
            throw fault("there are more than \(MessagePack.maximumCount) values")
        }
    }

    private mutating func text(_ length: Int) throws(MessagePackError) -> String {
        guard let text = String(validating: try take(length), as: UTF8.self) else {
            throw fault("a text is not valid UTF-8")
        }
        return text
    }

    private mutating func take(_ length: Int) throws(MessagePackError) -> [UInt8] {
        guard length <= rest else { throw cutShort }
        defer { place += length }
        return Array(bytes[place..<place + length])
    }

    private mutating func number<Number: FixedWidthInteger & UnsignedInteger>(
        _ type: Number.Type
    ) throws(MessagePackError) -> Number {
        let size = Number.bitWidth / 8
        guard size <= rest else { throw cutShort }
        var number: Number = 0
        for byte in bytes[place..<place + size] {
            number = size == 1 ? Number(byte) : number << 8 | Number(byte)
        }
        place += size
        return number
    }

    private var cutShort: MessagePackError {
        MessagePackError(description: "the message is cut short after \(bytes.count) bytes")
    }

    private func fault(_ words: String) -> MessagePackError {
        MessagePackError(description: "\(words), at byte \(place)")
    }
}
