/// A type that can be the value of a setting.
public protocol SettingValue: Sendable {
    /// What may be written, in words, with its article: `a duration such as 30s or 5m`.
    static var shape: String { get }

    /// The value of a setting that was not given; `nil` when it must be given.
    static var absent: Self? { get }

    /// Reads a value; when it is wrong, says why through the decoder and returns `nil`.
    ///
    /// Read the parts of a list or mapping through the decoder, never by calling this directly.
    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self?
}

extension SettingValue {
    /// Must be given.
    public static var absent: Self? { nil }
}

extension Optional: SettingValue where Wrapped: SettingValue {
    /// What the wrapped type accepts.
    public static var shape: String { Wrapped.shape }

    /// Need not be given.
    public static var absent: Self? { .some(nil) }

    /// Reads null as no value.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        if node.isNull { return .some(nil) }
        return decoder.decode(Wrapped.self, from: node).map { .some($0) }
    }
}
