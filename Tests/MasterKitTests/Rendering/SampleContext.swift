import MasterKit

extension RenderContext {
    /// A build with all kinds of properties.
    static func sample(secrets: [String: String] = [:]) -> RenderContext {
        let properties: JSONObject = [
            "branch": "main", "number": 7, "pi": 3.5, "yes": true, "no": false, "nothing": .null,
            "empty": "", "zero": 0, "list": ["a", "b"], "none": [], "mapping": ["k": "v"],
            "bare": [:], "url": "http://h:8080/", "words": ["x", ["y", ["z"]]],
        ]
        return RenderContext(
            properties: Properties(properties, source: "test"),
            sourceStamps: [
                SourceStamp(branch: "dev", revision: "abc"),
                SourceStamp(revision: "def", codebase: "lib"),
            ],
            worker: ["os": "linux"], secrets: SecretValues(secrets), results: .failure,
            template: ["build": ["number": 12, "steps": [["name": "compile"]]]])
    }
}

/// Parses a text as any renderable value and renders it.
func rendered(
    _ yaml: String, in context: RenderContext = .sample(), scope: RenderScope = .build
) throws -> JSONValue? {
    try Reading(yaml, as: Renderable<JSONValue>.self, scope: scope).value?.render(in: context)
}
