internal import MasterKit

extension Diagnostic {
    /// The diagnostic for machines; places count from 1, the end is the place after the last
    /// character.
    var json: JSONObject {
        var object: JSONObject = [
            "severity": .string(severity.rawValue),
            "message": .string(message),
            "file": .optional(file?.name),
        ]
        object.merge(Self.place(range))
        object["fix"] = fix.map { .object($0.json) } ?? .null
        object["notes"] = .array(
            notes.map { note in
                let message: JSONObject = ["message": .string(note.message)]
                return .object(message.merging(Self.place(note.range)))
            })
        return object
    }

    fileprivate static func place(_ range: SourceRange?) -> JSONObject {
        [
            "line": .optional(range?.start.line), "column": .optional(range?.start.column),
            "endLine": .optional(range?.end.line), "endColumn": .optional(range?.end.column),
        ]
    }
}

extension Diagnostic.Fix {
    fileprivate var json: JSONObject {
        let words: JSONObject = [
            "message": .optional(message), "replacement": .optional(replacement),
        ]
        return words.merging(Diagnostic.place(range))
    }
}

/// The outcome of a check for machines.
enum CheckReport {
    /// Grows by one whenever a reader of the older form would misread the newer one.
    static let formatVersion = 1

    /// The outcome as one object.
    static func json(_ diagnostics: [Diagnostic]) -> JSONValue {
        [
            "formatVersion": .int(formatVersion),
            "valid": .bool(!diagnostics.contains { $0.severity == .error }),
            "diagnostics": .array(diagnostics.map { .object($0.json) }),
        ]
    }
}
