/// A text with `%(…)s` expressions, parsed once and rendered for each build.
///
/// An expression is `%(selector:name)s` or `%(selector:name:modifier)s`. The selectors are `prop`,
/// `src` (with codebase and attribute), `kw`, `secret` and `worker`; the modifiers `:-D`, `:~D`,
/// `:+D`, `:?|T|F` and `:#?|T|F`, in which `D`, `T` and `F` are formats again. `%%` is a percent
/// sign. A format with arguments has `%s` for each of them, and no other expressions.
public struct InterpolationFormat: Sendable, Hashable {
    /// How deep expressions may nest.
    public static let maximumDepth = 64
    /// The most bytes a rendered text may have, but for the last value in it.
    public static let maximumLength = 16 << 20

    enum Part: Sendable, Hashable {
        case text(String)
        case positional(Int)
        indirect case expression(InterpolationReference, Modifier?)
    }

    /// What stands in the place of an expression, by what is there.
    enum Modifier: Sendable, Hashable {
        /// `:-`: the value, or the parts if it is missing.
        case valueIfPresent(otherwise: [Part])
        /// `:~`: the value, or the parts if it is missing, null or false.
        case valueIfTrue(otherwise: [Part])
        /// `:+`: the parts if there is a value, even if it is null.
        case replacement([Part])
        /// `:?`: a choice by whether there is a value, even if it is null.
        case ifPresent([Part], otherwise: [Part])
        /// `:#?`: a choice by whether the value is true.
        case ifTrue([Part], otherwise: [Part])
    }

    /// The text the format was parsed from.
    public let text: String

    /// Everything the format refers to, in the order of the text.
    public let references: [InterpolationUse]

    let parts: [Part]

    /// Parses a text.
    ///
    /// - Parameters:
    ///   - text: The format.
    ///   - positionalCount: How many arguments the `%s` of the format get, or `nil` if the format
    ///     has none and uses names.
    /// - Throws: Every malformed place of the text.
    public init(parsing text: String, positionalCount: Int? = nil) throws(InterpolationErrors) {
        var parser = InterpolationParser(text, positionalCount: positionalCount)
        let parts = parser.parseFormat()
        guard parser.errors.isEmpty else { throw InterpolationErrors(errors: parser.errors) }
        self.text = text
        self.parts = parts
        references = parser.uses
    }
}
