/// What an expression inside a format refers to.
public enum InterpolationReference: Sendable, Hashable {
    /// A property of the build: `%(prop:branch)s`.
    case property(String)
    /// An attribute of a source stamp: `%(src:codebase:revision)s`; the codebase may be empty.
    case source(codebase: String, attribute: String)
    /// A value given beside the format: `%(kw:name)s`.
    case keyword(String)
    /// A secret: `%(secret:token)s`.
    case secret(String)
    /// What is known of the worker: `%(worker:host)s`.
    case worker(String)
    /// A value given beside the format, by its place from 0: `%s`.
    case positional(Int)
}

extension InterpolationReference: CustomStringConvertible {
    /// The reference in words, for a message: `property 'branch'`.
    public var description: String {
        switch self {
        case .property(let name): "property '\(name)'"
        case .source("", let attribute): "source attribute '\(attribute)'"
        case .source(let codebase, let attribute):
            "source attribute '\(attribute)' of codebase '\(codebase)'"
        case .keyword(let name): "keyword '\(name)'"
        case .secret(let name): "secret '\(name)'"
        case .worker(let key): "worker information '\(key)'"
        case .positional(let index): "argument \(index + 1)"
        }
    }
}

/// A place in a format that refers to something.
public struct InterpolationUse: Sendable, Hashable {
    /// What the place refers to.
    public let reference: InterpolationReference
    /// Where the name stands in the format, in UTF-8 bytes.
    public let range: Range<Int>
    /// Whether a modifier says what stands there when the value is missing.
    public let hasModifier: Bool
}
