internal import MasterKit

/// `properties`: values by name.
struct PropertyValues: SettingValue {
    var values = JSONObject()

    static var shape: String { "a mapping of names to values" }

    static var form: ValueForm { .mapping(of: .any) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PropertyValues? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        var values = JSONObject()
        for entry in mapping.entries {
            decoder.checkProperty(entry.key)
            decoder.warnOfVersion(entry.value, of: entry.key)
            guard let name = decoder.decode(String.self, from: entry.key) else { continue }
            values[name] = decoder.about("the property '\(name)'") {
                decoder.propertyValue(entry.value, of: name)
            }
        }
        return values.count == mapping.entries.count ? PropertyValues(values: values) : nil
    }
}

extension SettingDecoder {
    /// Reports an error if a node is not a valid property name.
    ///
    /// - Parameters:
    ///   - name: The node.
    ///   - isAxis: Whether it is an axis of a matrix.
    func checkProperty(_ name: YAMLNode, isAxis: Bool = false) {
        guard let text = name.scalarText else { return }
        if text.isEmpty || text.count > Properties.maximumNameLength {
            error(
                "the name of a property has 1 to \(Properties.maximumNameLength) characters",
                at: name.range)
        }
        if let remedy = Self.remedyForOwnProperty(text) {
            let remedy = isAxis ? "give the axis another name" : remedy
            warning(
                "'\(text)' has no effect here, as every build sets it; \(remedy)", at: name.range)
        }
    }

    /// What to do instead of setting a property that every build sets, or `nil` for any other.
    private static func remedyForOwnProperty(_ name: String) -> String? {
        switch name {
        case "branch", "revision", "repository", "codebase", "project": "use 'run --\(name)'"
        case "buildername": "write it as 'name' of the builder"
        case "basedir", "builddir": "use 'run --basedir'"
        case "scheduler": "use 'run -p scheduler=…'"
        case "builderid", "buildnumber", "workername": "give the property another name"
        default: nil
        }
    }

    /// Decodes the value of a property, within size limits.
    func propertyValue(_ node: YAMLNode, of name: String) -> JSONValue? {
        guard let value = decode(JSONValue.self, from: node) else { return nil }
        do {
            try Properties.check(value, of: name)
            return value
        } catch {
            return self.error("\(error)", at: node.range)
        }
    }

    /// Warns about a number that looks like a version, because a trailing zero is lost.
    func warnOfVersion(_ value: YAMLNode, of name: YAMLNode) {
        guard case .scalar(let scalar) = value.kind, value.tag == nil,
            case .float = scalar.resolved, scalar.value.contains("."), scalar.value.hasSuffix("0")
        else { return }
        warning(
            "\(name.scalarText ?? "this"): \(scalar.value) is a number; if it is a version, write "
                + "'\(scalar.value)' in quotes", at: value.range, fix: "\"\(scalar.value)\"")
    }
}
