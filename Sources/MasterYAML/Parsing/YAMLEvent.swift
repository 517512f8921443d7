/// One step of libyaml's parser, with offsets into the bytes it reads.
struct YAMLEvent {
    /// What can precede a node.
    struct Properties {
        let anchor: String?
        let tag: String?
    }

    /// The kinds of steps.
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
