/// What settings of a reporter use of what is reported, for those that are computed for each report.
public struct ReportUses: Sendable, Hashable {
    /// Properties by name.
    public var properties: Set<String> = []
    /// Variables of templates, as `build.number`, by the names on the way to them.
    public var variables: Set<[String]> = []
    /// Whether attributes of the sources are used.
    public var usesSources = false
    /// What must be fetched of a build for them.
    public var details = BuildDetails(properties: false)

    /// Uses nothing.
    public init() {}

    /// Whether nothing of what is reported is used, so that all reports have the same values.
    public var isEmpty: Bool { properties.isEmpty && variables.isEmpty && !usesSources }

    /// The names of all that is used.
    fileprivate var names: Set<String> {
        var names = properties.union(variables.map { "{{ \($0.joined(separator: ".")) }}" })
        if usesSources { names.insert("%(src)") }
        return names
    }

    /// What is used by either.
    public func union(_ other: ReportUses) -> ReportUses {
        var union = self
        union.properties.formUnion(other.properties)
        union.variables.formUnion(other.variables)
        union.usesSources = usesSources || other.usesSources
        union.details = details.union(other.details)
        return union
    }
}

extension ReportTopic {
    /// The values that settings use, as they are kept with the report.
    func inputs(for uses: ReportUses) -> JSONObject {
        guard !uses.isEmpty else { return [:] }
        let (properties, variables) = (properties, variables)
        let known = JSONObject(
            uses.properties.sorted().compactMap { name in properties[name].map { (name, $0) } })
        var template = JSONObject()
        for path in uses.variables.sorted(by: { $0.count < $1.count }) {
            Self.copy(path[...], from: .object(variables), to: &template)
        }
        var inputs: JSONObject = [
            "properties": .object(known), "template": .object(template),
            "results": .optional(results?.rawValue),
            "uses": .array(uses.names.sorted().map { .string($0) }),
        ]
        if uses.usesSources { inputs["sourcestamps"] = buildset?["sourcestamps"] }
        return inputs
    }

    /// Copies the value at a path; a list, or what is not there, is copied as a whole or as null.
    private static func copy(
        _ path: ArraySlice<String>, from value: JSONValue, to object: inout JSONObject
    ) {
        guard let name = path.first else { return }
        let found = value[name] ?? .null
        guard path.count > 1, case .object = found else {
            object[name] = found
            return
        }
        var inner = object[name]?.objectValue ?? JSONObject()
        copy(path.dropFirst(), from: found, to: &inner)
        object[name] = .object(inner)
    }
}

extension Report {
    /// Whether the report was made with all that settings use; not when these were changed since.
    public func keeps(_ uses: ReportUses) -> Bool {
        let kept = inputs["uses"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return uses.names.isSubset(of: kept)
    }
}

extension RenderContext {
    /// What the settings of a reporter are computed from for a report.
    init(inputs: JSONObject, secrets: SecretValues) {
        var properties = Properties()
        for (name, value) in inputs["properties"]?.objectValue ?? [:] {
            properties.set(name, value, source: "Build")
        }
        self.init(
            properties: properties,
            sourceStamps: SourceStamp.list(inputs["sourcestamps"]?.arrayValue ?? []),
            secrets: secrets,
            results: inputs["results"]?.intValue.flatMap(Results.init(rawValue:)) ?? .success,
            template: inputs["template"]?.objectValue ?? [:])
    }
}

extension SourceStamp {
    /// Reads sources in the data API's form.
    static func list(_ records: [JSONValue]) -> [SourceStamp] {
        records.map { stamp in
            SourceStamp(
                branch: stamp["branch"]?.stringValue, revision: stamp["revision"]?.stringValue,
                repository: stamp["repository"]?.stringValue ?? "",
                project: stamp["project"]?.stringValue ?? "",
                codebase: stamp["codebase"]?.stringValue ?? "")
        }
    }
}
