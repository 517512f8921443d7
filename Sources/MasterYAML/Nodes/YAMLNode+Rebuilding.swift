extension YAMLNode {
    /// The node without its tag, so that what stands behind a tag can be read as a value.
    public var untagged: YAMLNode {
        tag == nil ? self : replacing(kind)
    }

    /// A node with other content at the place of this one.
    public func replacing(_ kind: Kind) -> YAMLNode {
        YAMLNode(kind: kind, file: file, place: place, isPlaceholder: isPlaceholder)
    }
}
