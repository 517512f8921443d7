/// The form with which a person forces the builds of a scheduler: its fields, and what becomes of
/// the values that are entered.
package struct ForceForm: Sendable {
    /// What is wrong with the values, by the full names of their fields.
    package struct Faults: Error, Sendable {
        package let texts: JSONObject
    }

    /// The source of the properties that the form sets.
    private static let source = "Force Build Form"

    private let scheduler: SchedulerDeclaration
    private let plugin: any ForcedScheduler
    /// The parameters that become properties.
    package let parameters: [ForceParameter]
    /// The names of the workers that may build a builder.
    private let workers: @Sendable (_ builder: String) -> [String]

    /// Fails if people cannot force the builds of a scheduler.
    ///
    /// - Parameters:
    ///   - scheduler: The scheduler.
    ///   - workers: Returns the names of the workers that may build a builder.
    package init?(
        _ scheduler: SchedulerDeclaration, workers: @escaping @Sendable (String) -> [String]
    ) {
        guard let plugin = scheduler.plugin as? any ForcedScheduler else { return nil }
        self.scheduler = scheduler
        self.plugin = plugin
        self.workers = workers
        let builders = scheduler.options.builderNames
        parameters = plugin.parameters.map { parameter in
            parameter.offering { builders.flatMap { workers($0.name) } }
        }
    }

    /// The worker that was chosen in a form, the only one that may run the builds.
    ///
    /// - Parameter properties: Those of the request.
    /// - Returns: Its name; `nil` for any worker.
    package static func worker(chosenIn properties: Properties) -> String? {
        guard let entry = properties.entries[ForceParameter.workerName], entry.source == source
        else { return nil }
        return entry.value.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The name of the scheduler.
    package var name: String { scheduler.name }
    /// The title of the form.
    package var title: String { plugin.formTitle ?? scheduler.name }
    /// The text of the button that opens it.
    package var button: String { plugin.buttonText ?? scheduler.name }
    /// The names of the builders that can be built.
    package var builders: [String] { scheduler.options.builderNames.map(\.name) }
    /// The fields that all forms have, unless a parameter stands in for one: it has the same name.
    package var general: ForceParameter {
        var group = ForceParameter(.nested, "")
        group.columns = 1
        group.fields = [plugin.userField, plugin.reasonField, priorityField].filter {
            !isReplaced($0.name)
        }
        return group
    }

    /// The fields of each codebase, unless a parameter stands in for one.
    package var codebases: [ForceParameter] {
        plugin.codebases.map { codebase in
            var group = codebase.fields
            group.fields = group.fields.filter { !isReplaced(codebase.fields.fullName(of: $0)) }
            return group
        }
    }

    private var priorityField: ForceParameter {
        var field = ForceParameter(.int, "priority")
        field.fallback = .int(scheduler.options.priority)
        return field
    }

    private func isReplaced(_ name: String) -> Bool { parameters.contains { $0.name == name } }

    /// Checks values and makes a request of them.
    ///
    /// - Parameters:
    ///   - given: The values by the full names of their fields; others are ignored.
    ///   - builders: The builders to build, of those of the scheduler.
    ///   - user: Who forces the builds; `nil` for one who enters a name.
    /// - Returns: The request.
    /// - Throws: ``Faults``.
    package func request(
        _ given: JSONObject, of builders: [String], by user: String?
    ) throws(Faults) -> BuildsetRequest {
        var values = ForceValues(given)
        let own = values.properties(of: parameters)
        func value(of field: ForceParameter, named name: String) -> JSONValue? {
            isReplaced(name) ? own[name] : values.value(of: field, named: name)
        }
        func text(_ field: ForceParameter) -> String? {
            value(of: field, named: field.name)?.text.flatMap { $0.isEmpty ? nil : $0 }
        }
        let owner = user ?? text(plugin.userField) ?? ""
        let reason = text(plugin.reasonField) ?? plugin.reasonField.fallback?.text ?? ""
        let priority = value(of: priorityField, named: "priority")?.intValue
        let stamps = plugin.codebases.map { codebase in
            codebase.stamp { value(of: $0, named: codebase.fields.fullName(of: $0))?.text }
        }
        if let worker = own[ForceParameter.workerName]?.stringValue, !worker.isEmpty,
            let builder = builders.first(where: { !workers($0).contains(worker) })
        {
            let names = workers(builder).joined(separator: ", ")
            values.refuse(
                ForceParameter.workerName, "must be a worker that builds '\(builder)': \(names)")
        }
        guard values.faults.isEmpty else { throw Faults(texts: values.faults) }
        var properties = Properties()
        for (name, value) in own { properties.set(name, value, source: Self.source) }
        properties.set("reason", .string(reason), source: Self.source)
        properties.set("owner", .string(owner), source: Self.source)
        var request = scheduler.completing(
            BuildsetRequest(
                reason: plugin.reasonFormat.replacing(/%\((owner|reason)\)s/) { found in
                    found.1 == "owner" ? owner : reason
                },
                sourceStamps: stamps, properties: properties))
        request.builders = builders
        request.priority = priority ?? request.priority
        return request
    }
}
