/// A string with `%(…)s` expressions, parsed once and rendered for each build.
///
/// An expression is `%(selector:name)s` or `%(selector:name:modifier)s`. The selectors are `prop`,
/// `src` (with codebase and attribute), `kw`, `secret` and `worker`; the modifiers `:-D`, `:~D`,
/// `:+D`, `:?|T|F` and `:#?|T|F`, in which `D`, `T` and `F` are formats as well. Before these, or
/// alone, `:urlencode` encodes the value for any part of a URL. `%%` is a percent sign. A format
/// with arguments has `%s` for each of them, and no other expressions.
package struct InterpolationFormat: Sendable, Hashable {
    /// The maximum nesting depth of expressions.
    package static let maximumDepth = 64
    /// The maximum size of the rendered string, in bytes, not counting its last value.
    package static let maximumLength = 16 << 20

    enum Part: Sendable, Hashable {
        case text(String)
        case positional(Int)
        indirect case expression(InterpolationReference, Modifier?, isURLEncoded: Bool)
    }

    /// A part of a rendered string: from the format, or a value.
    struct Piece {
        let text: String
        let isInserted: Bool
    }

    /// A modifier, which determines what replaces an expression.
    enum Modifier: Sendable, Hashable {
        /// `:-`: the value, or the parts if it is missing.
        case valueIfPresent(otherwise: [Part])
        /// `:~`: the value, or the parts if it is missing, null or false.
        case valueIfTrue(otherwise: [Part])
        /// `:+`: the parts if there is a value, even if it is null.
        case replacement([Part])
        /// `:?`: a choice depending on whether there is a value, even if it is null.
        case ifPresent([Part], otherwise: [Part])
        /// `:#?`: a choice depending on whether the value is true.
        case ifTrue([Part], otherwise: [Part])
    }

    /// The string from which the format was parsed.
    package let text: String

    /// All references in the format, in the order of the text.
    package let references: [InterpolationUse]

    let parts: [Part]

    /// Parses a string.
    ///
    /// - Parameters:
    ///   - text: The format.
    ///   - positionalCount: The number of arguments for the `%s` of the format, or `nil` if the
    ///     format
    ///     has none and uses names.
    /// - Throws: All syntax errors.
    package init(parsing text: String, positionalCount: Int? = nil) throws(InterpolationErrors) {
        var parser = InterpolationParser(text, positionalCount: positionalCount)
        let parts = parser.parseFormat()
        guard parser.errors.isEmpty else { throw InterpolationErrors(errors: parser.errors) }
        self.text = text
        self.parts = parts
        references = parser.uses
    }
}

extension InterpolationFormat {
    /// Renders the format.
    ///
    /// The closure returns the value of a reference, or `nil` if it is missing. It is called only
    /// for values that are needed: an alternative that is not chosen is not rendered. A missing
    /// secret, argument or keyword is an error, except that a keyword may have a modifier that
    /// provides an alternative; inserted values are never parsed again.
    package func render(lookup: (InterpolationReference) throws -> JSONValue?) throws -> String {
        try pieces { reference, _ in try lookup(reference) }.map(\.text).joined()
    }

    /// Returns the value of a reference, given whether it is at the start of the string.
    typealias Lookup = (InterpolationReference, _ isFirst: Bool) throws -> JSONValue?

    /// Renders the format, keeping inserted values separate.
    func pieces(lookup: Lookup) throws -> [Piece] {
        var output = Output()
        try output.render(parts, lookup)
        return output.pieces
    }

    private struct Output {
        private(set) var pieces: [Piece] = []
        private var byteCount = 0

        mutating func render(_ parts: [Part], _ lookup: Lookup) throws {
            for part in parts {
                guard byteCount <= maximumLength else {
                    throw RenderError(
                        "the text that %(…)s makes is longer than \(maximumLength >> 20) MiB")
                }
                switch part {
                case .text(let text):
                    append(text, isInserted: false)
                case .positional(let index):
                    append(
                        try required(.positional(index), lookup).text ?? "null", isInserted: true)
                case .expression(let reference, let modifier, let isURLEncoded):
                    switch choose(modifier, for: try find(reference, modifier, lookup)) {
                    case .value(let value):
                        let text = value?.text ?? ""
                        append(isURLEncoded ? AddressText.urlEncoded(text) : text, isInserted: true)
                    case .parts(let parts):
                        try render(parts, lookup)
                    }
                }
            }
        }

        private mutating func append(_ text: String, isInserted: Bool) {
            byteCount += text.utf8.count
            pieces.append(Piece(text: text, isInserted: isInserted))
        }

        private func find(
            _ reference: InterpolationReference, _ modifier: Modifier?, _ lookup: Lookup
        ) throws -> JSONValue? {
            switch (reference, modifier) {
            case (.secret, _), (.keyword, nil): try required(reference, lookup)
            default: try lookup(reference, byteCount == 0)
            }
        }

        private func required(
            _ reference: InterpolationReference, _ lookup: Lookup
        ) throws -> JSONValue {
            guard let value = try lookup(reference, byteCount == 0) else {
                throw InterpolationMissingValue(reference: reference)
            }
            return value
        }
    }

    /// What replaces an expression.
    private enum Choice {
        case value(JSONValue?)
        case parts([Part])
    }

    private static func choose(_ modifier: Modifier?, for value: JSONValue?) -> Choice {
        let isTruthy = value?.isTruthy ?? false
        switch modifier {
        case nil:
            return .value(value)
        case .valueIfPresent(let parts):
            return value == nil ? .parts(parts) : .value(value)
        case .valueIfTrue(let parts):
            return isTruthy ? .value(value) : .parts(parts)
        case .replacement(let parts):
            return .parts(value == nil ? [] : parts)
        case .ifPresent(let parts, let otherwise):
            return .parts(value == nil ? otherwise : parts)
        case .ifTrue(let parts, let otherwise):
            return .parts(isTruthy ? parts : otherwise)
        }
    }
}
