internal import MasterKit

/// The `matrix` of a builder: values by axis; every combination is a builder.
struct Matrix: SettingValue {
    /// The combinations: each axis with one of its values, and the additions from `include`.
    let combinations: [JSONObject]
    private let axisNames: [String]

    /// The maximum number of combinations of a matrix.
    static let maximumCount = 256

    static var shape: String { "a mapping of axes to lists of values" }

    static var form: ValueForm { .mapping(of: .list(of: .any)) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Matrix? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        let entries = mapping.entries.filter { !reserved.contains($0.key.scalarText) }
        let axes = entries.compactMap { axis($0, with: decoder) }
        guard axes.count == entries.count else { return nil }
        guard !axes.isEmpty else {
            return decoder.error(
                "a matrix needs at least one axis, such as python: ['3.9', '3.10']", at: node.range)
        }
        guard axes.reduce(1, { min($0 * $1.values.count, maximumCount + 1) }) <= maximumCount else {
            return decoder.error(
                "a matrix has at most \(maximumCount) combinations; remove values",
                at: node.range)
        }
        var combinations = all(axes)
        for item in items(of: "exclude", in: mapping, axes, decoder) {
            let count = combinations.count
            combinations.removeAll { $0.agrees(with: item.values) }
            if combinations.count == count {
                decoder.warning(
                    "this excludes no combination; compare it with the values of the axes",
                    at: item.range)
            }
        }
        for item in items(of: "include", in: mapping, axes, decoder) {
            for axis in axes where item.values[axis.name] == nil {
                decoder.error(
                    "a combination of 'include' has each axis; '\(axis.name)' is missing",
                    at: item.range)
            }
            combinations.append(item.values)
        }
        guard !combinations.isEmpty else {
            return decoder.error("all combinations of the matrix are excluded", at: node.range)
        }
        return Matrix(combinations: combinations, axisNames: axes.map(\.name))
    }

    /// The values of a combination that belong to axes.
    func axes(of combination: JSONObject) -> JSONObject {
        JSONObject(combination.filter { axisNames.contains($0.key) }.map { ($0.key, $0.value) })
    }

    private static let reserved: Set<String?> = ["include", "exclude"]

    private typealias Axis = (name: String, values: [JSONValue])
    private typealias Item = (values: JSONObject, range: SourceRange?)

    private static func axis(_ entry: YAMLMapping.Entry, with decoder: SettingDecoder) -> Axis? {
        decoder.checkProperty(entry.key, isAxis: true)
        guard let name = decoder.decode(String.self, from: entry.key) else { return nil }
        return decoder.about("the axis '\(name)'") {
            guard case .sequence(let nodes) = entry.value.kind, !nodes.isEmpty else {
                return decoder.mismatch(entry.value, expected: "a list of values")
            }
            for node in nodes { decoder.warnOfVersion(node, of: entry.key) }
            let values = nodes.compactMap { value($0, with: decoder) }
            return values.count == nodes.count ? (name, values) : nil
        }
    }

    private static func value(_ node: YAMLNode, with decoder: SettingDecoder) -> JSONValue? {
        guard case .scalar = node.kind, !node.isNull else {
            return decoder.error(
                "a value of \(decoder.subject) is a text, a number or a boolean, not "
                    + node.wording, at: node.range)
        }
        return decoder.decode(JSONValue.self, from: node)
    }

    /// Every combination; the values of the last axis vary fastest.
    private static func all(_ axes: [Axis]) -> [JSONObject] {
        axes.reduce([JSONObject()]) { combinations, axis in
            combinations.flatMap { combination in
                axis.values.map { combination.merging([axis.name: $0]) }
            }
        }
    }

    /// The combinations, or partial ones, listed in `include` or `exclude`.
    private static func items(
        of key: String, in mapping: YAMLMapping, _ axes: [Axis], _ decoder: SettingDecoder
    ) -> [Item] {
        guard let node = mapping[key] else { return [] }
        return decoder.about("'\(key)' of a matrix") {
            guard case .sequence(let nodes) = node.kind, nodes.count <= maximumCount else {
                let expected = "a list of at most \(maximumCount) combinations"
                return decoder.mismatch(node, expected: expected) ?? []
            }
            return nodes.compactMap { item($0, axes, decoder, takesMore: key == "include") }
        }
    }

    /// Reads a combination; with `takesMore`, names that are not axes become its properties, unless
    /// they resemble a missing axis.
    private static func item(
        _ node: YAMLNode, _ axes: [Axis], _ decoder: SettingDecoder, takesMore: Bool
    ) -> Item? {
        guard case .mapping(let mapping) = node.kind, !mapping.entries.isEmpty else {
            return decoder.error(
                "a combination is written {axis: value}, not as \(node.wording)", at: node.range)
        }
        var values = JSONObject()
        for entry in mapping.entries {
            let name = entry.key.scalarText ?? ""
            guard axes.contains(where: { $0.name == name }) else {
                let missing = axes.map(\.name).filter { mapping[$0] == nil }
                if takesMore, !name.isEmpty, Suggestion.nearest(to: name, among: missing) == nil {
                    decoder.checkProperty(entry.key)
                    decoder.warnOfVersion(entry.value, of: entry.key)
                    values[name] = decoder.about("the property '\(name)'") {
                        decoder.propertyValue(entry.value, of: name)
                    }
                    continue
                }
                let remedy = Suggestion.remedy(for: name, among: axes.map(\.name))
                decoder.error("the matrix has no axis '\(name)'; \(remedy)", at: entry.key.range)
                continue
            }
            decoder.warnOfVersion(entry.value, of: entry.key)
            values[name] = decoder.about("the axis '\(name)'") { value(entry.value, with: decoder) }
        }
        return values.count == mapping.entries.count ? (values, node.range) : nil
    }
}

extension JSONObject {
    /// Whether all values of another object are also in this one.
    fileprivate func agrees(with other: JSONObject) -> Bool {
        other.allSatisfy { self[$0.key] == $0.value }
    }
}

/// The `name` of a builder: a text, or with a matrix an expression that uses its axes.
struct BuilderName: SettingValue, RenderableValue {
    let text: Renderable<String>
    let range: SourceRange?

    /// The maximum length in characters.
    static let maximumLength = 70
    /// The maximum length of a folder name in bytes.
    private static let longestFolder = 255

    static var shape: String { String.shape }

    static var form: ValueForm { .computed(.text) }

    /// The builder's name in messages.
    var wording: String { text.constant.map { "builder '\($0)'" } ?? "the builder" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BuilderName? {
        guard let text = decoder.decode(Renderable<String>.self, from: node) else { return nil }
        if let constant = text.constant, let fault = fault(of: constant) {
            return decoder.error(fault, at: node.range)
        }
        return BuilderName(text: text, range: node.range)
    }

    /// Why a text cannot be the name of a builder, or `nil` if it can.
    static func fault(of text: String) -> String? {
        if text.isEmpty { return "the name of a builder must not be empty" }
        if text.hasPrefix("_") { return "the name of a builder must not begin with '_'" }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "the name of a builder must not contain control characters"
        }
        if text.count > maximumLength {
            return "the name of a builder has at most \(maximumLength) characters; "
                + "this one has \(text.count)"
        }
        if FilePaths.component(text).utf8.count > longestFolder {
            return "the name of a builder is also the name of a folder, for which this one is "
                + "too long"
        }
        return nil
    }
}
