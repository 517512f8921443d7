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
