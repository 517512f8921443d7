internal import ArgumentParser
internal import MasterKit

/// A property as `-p` gives it: `NAME=VALUE` for a text, `NAME:=VALUE` for a YAML value.
struct PropertyArgument: Sendable, Hashable {
    /// The name.
    let name: String
    /// The value.
    let value: JSONValue

    /// Reads what stands after `-p`.
    ///
    /// - Throws: `ValidationError` with what is wrong and how it is written.
    init(_ argument: String) throws {
        guard let equals = argument.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            throw ValidationError(
                "-p \(argument): a property is given as NAME=VALUE, or as NAME:=VALUE for a "
                    + "number, a boolean, a list or a mapping")
        }
        let isYAML = argument.utf8[..<equals].last == UInt8(ascii: ":")
        name = String(Substring(argument.utf8[..<equals].dropLast(isYAML ? 1 : 0)))
        let text = String(argument[argument.utf8.index(after: equals)...])
        guard !name.isEmpty, name.count <= Properties.maximumNameLength else {
            throw ValidationError(
                "-p \(argument): the name of a property has 1 to \(Properties.maximumNameLength) "
                    + "characters")
        }
        value = isYAML ? try Self.value(ofYAML: text, for: name) : .string(text)
        do {
            try Properties.check(value, of: name)
        } catch {
            throw ValidationError("-p \(name): \(error)")
        }
    }

    private static func value(ofYAML text: String, for name: String) throws -> JSONValue {
        let parsed = YAMLParser.parse(text, name: "-p \(name)")
        let decoder = SettingDecoder(registry: .empty)
        if let root = parsed.root, !parsed.hasErrors,
            let value = decoder.decode(JSONValue.self, from: root), !decoder.hasErrors
        {
            return value
        }
        let faults = (parsed.diagnostics + decoder.diagnostics).filter { $0.severity == .error }
        let reason = faults.first?.message ?? "there is none"
        throw ValidationError(
            "-p \(name):=\(text): this is no YAML value: \(reason); write NAME=VALUE for a text")
    }
}
