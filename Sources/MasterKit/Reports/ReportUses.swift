/// The parts of a report that a reporter's settings refer to, for settings that are computed for
/// each report.
public struct ReportUses: Sendable, Hashable {
    /// The names of properties.
    public var properties: Set<String> = []
    /// Template variables, such as `build.number`, as path components.
    public var variables: Set<[String]> = []
    /// Whether attributes of the source stamps are used.
    public var usesSources = false
    /// The details of a build that must be fetched for them.
    public var details = BuildDetails(properties: false, authors: false)

    /// Creates an empty set.
    public init() {}

    /// Whether nothing is used, so that all reports have the same values.
    public var isEmpty: Bool { properties.isEmpty && variables.isEmpty && !usesSources }

    /// The names of everything that is used.
    fileprivate var names: Set<String> {
        var names = properties.union(variables.map { "{{ \($0.joined(separator: ".")) }}" })
        if usesSources { names.insert("%(src)") }
        return names
    }

    /// Returns everything that either of them uses.
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
    /// The values used by settings, as stored with the report.
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

    /// Copies the value at a path; a list is copied whole, and a missing value as null.
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
    /// Whether the report was created with everything that the settings use; `false` if the
    /// settings have changed since.
    public func keeps(_ uses: ReportUses) -> Bool {
        let kept = inputs["uses"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return uses.names.isSubset(of: kept)
    }
}

extension RenderContext {
    /// Creates the context for computing a reporter's settings for a report.
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
    /// Creates source stamps from the data API's form.
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

extension SettingDecoder {
    /// Reads a value that becomes part of a message and is computed for each report.
    ///
    /// A name that no report has is an error, and so is a secret where the value is a string that
    /// is stored until it has been delivered.
    ///
    /// - Parameters:
    ///   - allowsSecrets: Whether the value can keep references to secrets.
    ///   - read: Reads the value.
    /// - Returns: The value, the paths named by its expressions, and the names of its secrets.
    public func readMessage<Value>(
        allowingSecrets allowsSecrets: Bool = false, _ read: () -> Value?
    ) -> (value: Value?, paths: [[String]], secrets: Set<String>) {
        let secretsBefore = secretUses.count
        let usesBefore = templateUses.count
        let value = within(.report, read)
        let secrets = secretUses[secretsBefore...]
        for use in secrets where !allowsSecrets {
            error(
                "the message of a formatter is stored until it is delivered and can't hold the "
                    + "secret '\(use.name)'; send it in 'format', 'headers' or 'auth' of the "
                    + "reporter", at: use.range)
        }
        reportFaults(of: templateUses[usesBefore...])
        return (value, templateUses[usesBefore...].map(\.path), Set(secrets.map(\.name)))
    }

    /// Reads a setting of a reporter that is computed for each report; a name that no report has is
    /// an error.
    ///
    /// - Parameter read: Reads the value.
    /// - Returns: The value, and the parts of a report it uses: see ``Reporter/uses``.
    public func readForReports<Value>(
        _ read: () -> Value?
    ) -> (value: Value?, uses: ReportUses) {
        let usesBefore = templateUses.count
        let (value, uses) = recordingReportUses { within(.reporter, read) }
        reportFaults(of: templateUses[usesBefore...])
        return (value, uses)
    }

    private func reportFaults(of uses: ArraySlice<TemplateUse>) {
        for use in uses {
            if let fault = ReportTopic.fault(in: use.path) { error(fault, at: use.range) }
        }
    }
}
