internal import CLibYAML

/// Owns a libyaml parser and reads its events one by one.
///
/// Every event is copied into Swift values and freed before it is returned. No C object outlives
/// the reader, and the reader never outlives the bytes.
@safe struct EventReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let marks: MarkMap

    /// Calls a closure with a reader of the bytes.
    ///
    /// - Returns: What the closure returns, or nil when there is not enough memory for a parser.
    static func reading<Result>(
        _ bytes: [UInt8], _ body: (borrowing EventReader) -> Result
    ) -> Result? {
        let marks = MarkMap(bytes: bytes)
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let reader = unsafe EventReader(buffer, marks: marks) else { return nil }
            return body(reader)
        }
    }

    private init?(_ buffer: UnsafeBufferPointer<UInt8>, marks: MarkMap) {
        unsafe parser = .allocate(capacity: 1)
        self.marks = marks
        unsafe parser.initialize(to: yaml_parser_t())
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()
            return nil
        }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
    }

    /// Returns the next event; must not be called after the end of the stream or a problem.
    func next() throws(SyntaxProblem) -> YAMLEvent {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { unsafe yaml_event_delete(&event) }
        let start = unsafe marks.offset(ofScalar: event.start_mark.index)
        let end = unsafe marks.offset(ofScalar: event.end_mark.index)
        return unsafe YAMLEvent(kind: Self.kind(of: event), offsets: start..<max(start, end))
    }

    private func problem() -> SyntaxProblem {
        let context = unsafe parser.pointee.context.map { unsafe String(cString: $0) }
        let contextIndex = unsafe parser.pointee.context_mark.index
        let isReaderError = unsafe parser.pointee.error == YAML_READER_ERROR
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) }
        return SyntaxProblem(
            problem: problem ?? "out of memory",
            offset: isReaderError
                ? unsafe parser.pointee.problem_offset
                : unsafe marks.offset(ofScalar: parser.pointee.problem_mark.index),
            context: context,
            contextOffset: context == nil ? nil : marks.offset(ofScalar: contextIndex))
    }

    private static func kind(of event: yaml_event_t) -> YAMLEvent.Kind {
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: .streamStart
        case YAML_DOCUMENT_START_EVENT: .documentStart
        case YAML_DOCUMENT_END_EVENT: .documentEnd
        case YAML_ALIAS_EVENT: .alias(unsafe text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT: unsafe scalar(event.data.scalar)
        case YAML_SEQUENCE_START_EVENT: unsafe sequenceStart(event.data.sequence_start)
        case YAML_SEQUENCE_END_EVENT: .sequenceEnd
        case YAML_MAPPING_START_EVENT: unsafe mappingStart(event.data.mapping_start)
        case YAML_MAPPING_END_EVENT: .mappingEnd
        default: .streamEnd
        }
    }

    private static func scalar(
        _ data: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar
    ) -> YAMLEvent.Kind {
        let bytes = unsafe UnsafeBufferPointer(start: data.value, count: data.length)
        let value = unsafe String(decoding: bytes, as: UTF8.self)
        let properties = unsafe YAMLEvent.Properties(anchor: text(data.anchor), tag: text(data.tag))
        return .scalar(YAMLScalar(value, style: style(unsafe data.style)), properties)
    }

    private static func sequenceStart(
        _ data: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_sequence_start
    ) -> YAMLEvent.Kind {
        .sequenceStart(
            unsafe YAMLEvent.Properties(anchor: text(data.anchor), tag: text(data.tag)),
            isFlow: unsafe data.style == YAML_FLOW_SEQUENCE_STYLE)
    }

    private static func mappingStart(
        _ data: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_mapping_start
    ) -> YAMLEvent.Kind {
        .mappingStart(
            unsafe YAMLEvent.Properties(anchor: text(data.anchor), tag: text(data.tag)),
            isFlow: unsafe data.style == YAML_FLOW_MAPPING_STYLE)
    }

    private static func style(_ style: yaml_scalar_style_t) -> YAMLScalar.Style {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE: .literal
        case YAML_FOLDED_SCALAR_STYLE: .folded
        default: .plain
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }
}

/// An event of libyaml's parser, with offsets into the bytes it reads.
struct YAMLEvent {
    /// The anchor and the tag that can precede a node.
    struct Properties {
        let anchor: String?
        let tag: String?
    }

    enum Kind {
        case streamStart
        case streamEnd
        case documentStart
        case documentEnd
        case alias(String)
        case scalar(YAMLScalar, Properties)
        case sequenceStart(Properties, isFlow: Bool)
        case sequenceEnd
        case mappingStart(Properties, isFlow: Bool)
        case mappingEnd
    }

    let kind: Kind
    let offsets: Range<Int>
}

/// A syntax error as libyaml reports it.
struct SyntaxProblem: Error {
    /// The message, such as "did not find expected key".
    let problem: String
    let offset: Int
    /// What was being read, such as "while parsing a block mapping".
    let context: String?
    /// Where that began.
    let contextOffset: Int?
}

/// Turns libyaml's marks, which count Unicode scalars, into UTF-8 offsets.
struct MarkMap {
    private static let stride = 256

    private let bytes: [UInt8]
    /// The offset of every 256th scalar; empty if the text is ASCII.
    private let checkpoints: [Int]

    init(bytes: [UInt8]) {
        self.bytes = bytes
        self.checkpoints = bytes.contains { $0 >= 0x80 } ? Self.checkpoints(of: bytes) : []
    }

    /// Returns the offset of a scalar, or the end if there are fewer.
    func offset(ofScalar index: Int) -> Int {
        guard let last = checkpoints.last else { return min(index, bytes.count) }
        let checkpoint = index / Self.stride
        var offset = checkpoint < checkpoints.count ? checkpoints[checkpoint] : last
        var rest = index - min(checkpoint, checkpoints.count - 1) * Self.stride
        while rest > 0, offset < bytes.count {
            offset += 1
            while offset < bytes.count, bytes[offset].isContinuation { offset += 1 }
            rest -= 1
        }
        return offset
    }

    private static func checkpoints(of bytes: [UInt8]) -> [Int] {
        var result: [Int] = []
        var count = 0
        for (offset, byte) in bytes.enumerated() where !byte.isContinuation {
            if count.isMultiple(of: stride) { result.append(offset) }
            count += 1
        }
        return result
    }
}

/// Checks that a file is UTF-8 text before libyaml reads it.
struct EncodingCheck {
    private static let maximumDiagnosticCount = 20

    /// The file without its byte order mark.
    let file: SourceFile
    private(set) var diagnostics: [Diagnostic] = []

    init(_ bytes: [UInt8], name: String) {
        let encoding = Self.foreignEncoding(of: bytes)
        let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        let text = encoding == nil ? (hasMark ? Array(bytes.dropFirst(3)) : bytes) : []
        file = SourceFile(name: name, bytes: text)
        if let encoding {
            let message = "the file is encoded in \(encoding); save it as UTF-8"
            diagnostics = [Diagnostic(.error, message, file: file)]
        } else {
            checkCharacters()
        }
    }

    private static func foreignEncoding(of bytes: [UInt8]) -> String? {
        let head = Array(bytes.prefix(4))
        if head == [0, 0, 0xFE, 0xFF] || head == [0xFF, 0xFE, 0, 0] { return "UTF-32" }
        if head.starts(with: [0xFE, 0xFF]) || head.starts(with: [0xFF, 0xFE]) { return "UTF-16" }
        guard head.count == 4 else { return nil }
        let zeros = head.map { $0 == 0 }
        return zeros == [false, true, false, true] || zeros == [true, false, true, false]
            ? "UTF-16" : nil
    }

    private mutating func checkCharacters() {
        let bytes = file.bytes
        var offset = 0
        while offset < bytes.count, diagnostics.count < Self.maximumDiagnosticCount {
            let byte = bytes[offset]
            if byte >= 0x20 && byte < 0x7F || byte.isBlankOrBreak {
                offset += 1
                continue
            }
            let length = Self.sequenceLength(bytes, at: offset)
            check(bytes[offset..<offset + max(length, 1)], isValid: length > 0)
            offset += max(length, 1)
            if length == 0 {
                while offset < bytes.count, bytes[offset].isContinuation { offset += 1 }
            }
        }
    }

    private mutating func check(_ sequence: ArraySlice<UInt8>, isValid: Bool) {
        guard isValid else {
            let byte = String(sequence[sequence.startIndex], radix: 16, uppercase: true)
            return report(
                "the byte 0x\(byte) is not valid UTF-8 here; save the file as UTF-8", sequence)
        }
        guard let scalar = String(decoding: sequence, as: UTF8.self).unicodeScalars.first,
            Self.isForbidden(scalar)
        else { return }
        let code = String(scalar.value, radix: 16, uppercase: true)
        let name = "U+" + String(repeating: "0", count: max(4 - code.count, 0)) + code
        switch scalar.value {
        case 0: report("a NUL character is not allowed; remove it", sequence)
        case 0xFEFF:
            report("a byte order mark (\(name)) is allowed only at the start; remove it", sequence)
        default:
            report(
                "the control character \(name) is not allowed; remove it, "
                    + "or write it as \"\\u\(name.dropFirst(2))\" in double quotes", sequence)
        }
    }

    private mutating func report(_ message: String, _ sequence: ArraySlice<UInt8>) {
        let range = file.range(ofUTF8: sequence.startIndex..<sequence.endIndex)
        diagnostics.append(Diagnostic(.error, message, file: file, range: range))
    }

    /// Whether YAML forbids the character everywhere.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x85: false
        case 0..<0x20, 0x7F..<0xA0, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }

    /// Returns the length of the UTF-8 sequence at an offset; 0 when there is no valid one.
    private static func sequenceLength(_ bytes: [UInt8], at offset: Int) -> Int {
        let lead = bytes[offset]
        let second: ClosedRange<UInt8>
        let length: Int
        switch lead {
        case 0..<0x80: return 1
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard offset + length <= bytes.count, second.contains(bytes[offset + 1]) else { return 0 }
        let rest = bytes[offset + 2..<offset + length]
        return rest.allSatisfy(\.isContinuation) ? length : 0
    }
}

/// The characters of YAML's syntax.
extension UInt8 {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let hash = UInt8(ascii: "#")
    static let colon = UInt8(ascii: ":")
    static let dash = UInt8(ascii: "-")
    static let comma = UInt8(ascii: ",")
    static let exclamation = UInt8(ascii: "!")
    static let ampersand = UInt8(ascii: "&")
    static let asterisk = UInt8(ascii: "*")
    static let percent = UInt8(ascii: "%")
    static let backslash = UInt8(ascii: "\\")
    static let singleQuote = UInt8(ascii: "'")
    static let doubleQuote = UInt8(ascii: "\"")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")

    var isBlank: Bool { self == .space || self == .tab }
    var isLineBreak: Bool { self == .lineFeed || self == .carriageReturn }
    var isBlankOrBreak: Bool { isBlank || isLineBreak }
    var isContinuation: Bool { self & 0xC0 == 0x80 }
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isQuote: Bool { self == .singleQuote || self == .doubleQuote }
    var isFlowIndicator: Bool {
        self == .comma || self == .openBracket || self == .closeBracket || self == .openBrace
            || self == .closeBrace
    }

    /// Whether libyaml accepts the character in the name of an anchor.
    var isNameCharacter: Bool {
        isDigit || self == .dash || self == UInt8(ascii: "_")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }
}
