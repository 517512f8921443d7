internal import ArgumentParser
internal import MasterKit

/// The results of a check of several files, in the formats for machines.
struct CheckReport {
    /// The output format.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        /// Text for users.
        case text
        /// One JSON object, described by ``CheckReport/schema``.
        case json
        /// Commands of GitHub's workflow language, which annotate the lines of a pull request.
        case github
        /// One SARIF 2.1.0 log, for code scanning.
        case sarif
    }

    /// What was found in one file.
    struct Result {
        let file: String
        let diagnostics: [Diagnostic]
        /// What the file declares, if it can be run.
        var summary: String?
    }

    /// Incremented by changes that a reader of the older format would misread.
    static let formatVersion = 1

    private(set) var results: [Result] = []

    init(_ results: [Result] = []) {
        self.results = results
    }

    mutating func add(_ result: Result) { results.append(result) }

    /// Adds a path that could not be checked.
    mutating func add(_ fault: Diagnostic) {
        results.append(Result(file: fault.file?.name ?? "", diagnostics: [fault]))
    }

    var files: [String] { results.map(\.file) }

    /// Whether every file can be run.
    var isValid: Bool { !has(.error) }

    var hasWarnings: Bool { has(.warning) }

    private func has(_ severity: Diagnostic.Severity) -> Bool {
        results.contains { $0.diagnostics.contains { $0.severity == severity } }
    }

    private var diagnostics: [Diagnostic] { results.flatMap(\.diagnostics) }

    /// Commands of GitHub's workflow language.
    var annotations: [String] {
        results.flatMap { result in
            result.diagnostics.map { DiagnosticPrinter.annotation($0, file: result.file) }
        }
    }
}

extension CheckReport {
    /// The report as one JSON object.
    var json: JSONValue {
        [
            "formatVersion": .int(Self.formatVersion),
            "valid": .bool(isValid),
            "files": .array(files.map { .string($0) }),
            "diagnostics": .array(diagnostics.map { .object($0.json) }),
        ]
    }

    /// The JSON Schema of ``json``.
    static let schema: JSONValue = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The output of buildmaster check --format json",
        "type": "object",
        "required": ["formatVersion", "valid", "files", "diagnostics"],
        "properties": [
            "formatVersion": ["const": .int(formatVersion)],
            "valid": ["description": "whether every file can be run", "type": "boolean"],
            "files": [
                "description": "the files that were checked, as given or found",
                "type": "array", "items": ["type": "string"],
            ],
            "diagnostics": ["type": "array", "items": diagnosticSchema],
        ],
    ]

    private static let diagnosticSchema: JSONValue = placed([
        "severity": ["enum": .array(Diagnostic.Severity.allCases.map { .string($0.rawValue) })],
        "message": ["description": "what is wrong and how to fix it", "type": "string"],
        "file": ["type": ["string", "null"]],
        "fix": [
            "anyOf": [
                ["type": "null"],
                placed([
                    "message": ["type": ["string", "null"]],
                    "replacement": [
                        "description": "the text that replaces the range; null if a tool can't",
                        "type": ["string", "null"],
                    ],
                ]),
            ]
        ],
        "notes": [
            "description": "further places that belong to the mistake",
            "type": "array", "items": placed(["message": ["type": "string"]]),
        ],
    ])

    /// An object with these members and a place.
    private static func placed(_ members: JSONObject) -> JSONValue {
        var members = members
        for name in ["line", "column", "endLine", "endColumn"] {
            members[name] = [
                "description":
                    "counted from 1, columns in Unicode scalars; the end is after the last one",
                "type": ["integer", "null"], "minimum": 1,
            ]
        }
        return [
            "type": "object", "required": .array(members.map { .string($0.key) }),
            "properties": .object(members),
        ]
    }
}

extension Diagnostic {
    /// The diagnostic as JSON; lines and columns start at 1, the end is after the last character.
    fileprivate var json: JSONObject {
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

extension CheckReport {
    /// The report as a SARIF 2.1.0 log.
    var sarif: JSONValue {
        let results = self.results.flatMap { result in
            result.diagnostics.map { $0.sarifResult(in: result.file) }
        }
        return [
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                [
                    "tool": [
                        "driver": [
                            "name": "buildmaster check",
                            "version": .string(RootCommand.version),
                            "rules": .array(Diagnostic.Severity.allCases.map(\.sarifRule)),
                        ]
                    ],
                    "columnKind": "unicodeCodePoints",
                    "artifacts": .array(
                        files.map { ["location": Diagnostic.sarifLocation(of: $0)] }),
                    "results": .array(results),
                ]
            ],
        ]
    }
}

extension Diagnostic.Severity {
    fileprivate var sarifRule: JSONValue {
        [
            "id": .string(sarifID),
            "shortDescription": ["text": .string(sarifSummary)],
            "defaultConfiguration": ["level": .string(rawValue)],
        ]
    }

    fileprivate var sarifID: String { "master-yaml/\(rawValue)" }

    private var sarifSummary: String {
        switch self {
        case .error: "The file cannot be run."
        case .warning: "The file can be run, but probably does not do what was intended."
        case .note: "Something worth knowing."
        }
    }
}

extension Diagnostic {
    fileprivate func sarifResult(in path: String) -> JSONValue {
        let path = file?.name ?? path
        var result: JSONObject = [
            "ruleId": .string(severity.sarifID),
            "level": .string(severity.rawValue),
            "message": ["text": .string(message)],
            "locations": [Self.sarifPlace(range, in: path)],
        ]
        if !notes.isEmpty {
            result["relatedLocations"] = .array(
                notes.map { note in
                    var place = Self.sarifPlace(note.range, in: path).objectValue ?? [:]
                    place["message"] = ["text": .string(note.message)]
                    return .object(place)
                })
        }
        if let fix, let replacement = fix.replacement, let range = fix.range ?? range {
            result["fixes"] = [
                [
                    "artifactChanges": [
                        [
                            "artifactLocation": Self.sarifLocation(of: path),
                            "replacements": [
                                [
                                    "deletedRegion": Self.sarifRegion(range),
                                    "insertedContent": ["text": .string(replacement)],
                                ]
                            ],
                        ]
                    ]
                ]
            ]
        }
        return .object(result)
    }

    private static func sarifPlace(_ range: SourceRange?, in path: String) -> JSONValue {
        var place: JSONObject = ["artifactLocation": sarifLocation(of: path)]
        if let range { place["region"] = sarifRegion(range) }
        return ["physicalLocation": .object(place)]
    }

    /// The file as a URI: relative to the working folder, unless its path is absolute.
    fileprivate static func sarifLocation(of path: String) -> JSONValue {
        let encoded = path.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                scalar.isASCII
                && (scalar.properties.isAlphabetic
                    || "0123456789-._~/".unicodeScalars.contains(scalar))
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(scalar) : "%" + (byte < 16 ? "0" : "") + digits
        }.joined()
        return ["uri": .string(path.hasPrefix("/") ? "file://" + encoded : encoded)]
    }

    private static func sarifRegion(_ range: SourceRange) -> JSONValue {
        [
            "startLine": .int(range.start.line), "startColumn": .int(range.start.column),
            "endLine": .int(range.end.line), "endColumn": .int(range.end.column),
        ]
    }
}
