/// The settings by which generators pick builds; a build must meet all that are given.
///
/// Take it into a generator of your own with ``SettingGroup``, and call ``check(_:)`` in its own
/// check. It looks at the event, so it works whatever a formatter wants to be fetched.
public struct BuildFilter: Settings {
    @Setting("Report only builders that have one of these tags.", .notEmpty)
    var tags: [String]?

    @Setting("Report only these builders.", .notEmpty)
    var builders: [String]?

    @Setting("Report only builds whose property 'scheduler' is one of these.", .notEmpty)
    var schedulers: [String]?

    @Setting("Report only builds whose property 'branch' is one of these.", .notEmpty)
    var branches: [String]?

    /// Makes a filter that lets everything through.
    public init() {}

    /// Finds filters that exclude each other.
    public func check(_ settings: SettingsCheck) {
        guard tags != nil, builders != nil else { return }
        settings.error("'tags' and 'builders' can't stand together; keep one", at: "builders")
    }

    /// Whether the event of a build, a step or a request is let through.
    public func admits(_ event: Event) -> Bool {
        if let tags, !event.builderTags.contains(where: tags.contains) { return false }
        return admits(event.builderName, among: builders)
            && admits(event.property("scheduler")?.text, among: schedulers)
            && admits(event.branch, among: branches)
    }

    private func admits(_ name: String?, among names: [String]?) -> Bool {
        guard let names else { return true }
        return name.map(names.contains) ?? false
    }
}

extension Event {
    /// The branch by property, or of a request, which has no such property yet, by its source.
    fileprivate var branch: String? {
        if let property = property("branch") { return property.text ?? "" }
        let stamps = buildRecord?["buildset"]?["sourcestamps"]?.arrayValue ?? []
        return stamps.count == 1 ? stamps[0]["branch"]?.text ?? "" : nil
    }
}
