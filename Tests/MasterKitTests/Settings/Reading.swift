import MasterKit

/// The result of parsing a YAML text as the value of one setting.
struct Reading<Value: SettingValue> {
    let value: Value?
    let decoder: SettingDecoder

    init(
        _ text: String, as type: Value.Type = Value.self, scope: RenderScope = .build,
        environment: [String: String] = [:], registry: Registry = .empty, folder: String? = nil
    ) {
        let output = YAMLParser.parse(text, name: "test.yaml")
        let decoder = SettingDecoder(
            registry: registry, scope: scope, environment: environment, folder: folder)
        decoder.add(output.diagnostics)
        value = output.root.flatMap { node in
            decoder.about("'it'") { decoder.decode(type, from: node) }
        }
        self.decoder = decoder
    }

    /// All messages; warnings are marked.
    var messages: [String] {
        decoder.diagnostics.map {
            $0.severity == .error ? $0.message : "\($0.severity.rawValue): \($0.message)"
        }
    }

    /// The messages with line and column.
    var places: [String] {
        decoder.diagnostics.map { "\($0.range.map { "\($0.start)" } ?? "nowhere"): \($0.message)" }
    }
}

/// The result of filling settings from a YAML text.
struct Filling<Target: Settings> {
    let settings: Target
    let decoder: SettingDecoder
    let isValid: Bool

    init(_ text: String, registry: Registry = .empty, environment: [String: String] = [:]) {
        let output = YAMLParser.parse(text, name: "test.yaml")
        decoder = SettingDecoder(registry: registry, environment: environment)
        (settings, isValid) = decoder.reading(
            Target.self, from: output.root, owner: "it", at: output.root?.range)
    }

    /// All messages except syntax errors.
    var messages: [String] { decoder.diagnostics.map(\.message) }
}

extension Reading where Value == Renderable<String> {
    /// Parses a text as a renderable string and renders it.
    static func rendered(_ text: String, in context: RenderContext) throws -> String? {
        try Reading(text).value?.render(in: context)
    }
}
