extension InterpolationFormat {
    /// Renders the format.
    ///
    /// The closure gives the value of a reference, `nil` for a missing one. It is asked only for
    /// what is needed: an alternative that is not taken is not rendered. A secret or argument that
    /// is missing is an error, and so is a keyword, unless a modifier says what stands for it; what
    /// is inserted is never parsed again.
    public func render(
        lookup: (InterpolationReference) throws -> JSONValue?
    ) throws -> String {
        var output = ""
        try Self.render(parts, into: &output, lookup)
        return output
    }

    private static func render(
        _ parts: [Part],
        into output: inout String,
        _ lookup: (InterpolationReference) throws -> JSONValue?
    ) throws {
        for part in parts {
            guard output.utf8.count <= maximumLength else {
                throw RenderError(
                    "the text that %(…)s makes is longer than \(maximumLength >> 20) MiB")
            }
            switch part {
            case .text(let text):
                output += text
            case .positional(let index):
                let value = try required(.positional(index), lookup)
                output += value.text ?? "null"
            case .expression(let reference, let modifier):
                let value = try find(reference, modifier, lookup)
                try render(choose(modifier, for: value), into: &output, lookup)
            }
        }
    }

    /// What a modifier makes of a value: parts to be rendered in its place.
    private static func choose(_ modifier: Modifier?, for value: JSONValue?) -> [Part] {
        let isTruthy = value?.isTruthy ?? false
        switch modifier {
        case nil:
            return value.map { [.text($0.text ?? "")] } ?? []
        case .valueIfPresent(let parts):
            return value.map { [.text($0.text ?? "")] } ?? parts
        case .valueIfTrue(let parts):
            return isTruthy ? [.text(value?.text ?? "")] : parts
        case .replacement(let parts):
            return value == nil ? [] : parts
        case .ifPresent(let parts, let otherwise):
            return value == nil ? otherwise : parts
        case .ifTrue(let parts, let otherwise):
            return isTruthy ? parts : otherwise
        }
    }

    private static func find(
        _ reference: InterpolationReference,
        _ modifier: Modifier?,
        _ lookup: (InterpolationReference) throws -> JSONValue?
    ) throws -> JSONValue? {
        switch (reference, modifier) {
        case (.secret, _), (.keyword, nil): try required(reference, lookup)
        default: try lookup(reference)
        }
    }

    private static func required(
        _ reference: InterpolationReference,
        _ lookup: (InterpolationReference) throws -> JSONValue?
    ) throws -> JSONValue {
        guard let value = try lookup(reference) else {
            throw InterpolationMissingValue(reference: reference)
        }
        return value
    }
}
