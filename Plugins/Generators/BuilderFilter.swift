import MasterKit

/// The settings by which generators pick builders.
struct BuilderFilter: Settings {
    @Setting("Report only builders that have one of these tags.", .notEmpty)
    var tags: [String]?

    @Setting("Report only these builders.", .notEmpty)
    var builders: [String]?

    /// Finds filters that exclude each other.
    func check(_ settings: SettingsCheck) {
        guard tags != nil, builders != nil else { return }
        settings.error("'tags' and 'builders' can't stand together; keep one", at: "builders")
    }

    /// Whether the builder of an event is picked.
    func admits(_ event: Event) -> Bool {
        if let tags { return event.builderTags.contains(where: tags.contains) }
        guard let builders else { return true }
        return event.builderName.map(builders.contains) ?? false
    }

    /// What to do instead of a setting that generators have in Buildbot.
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "message_formatter", "start_formatter", "end_formatter":
            "shape the body with 'format' of the reporter"
        case "want_properties", "want_steps", "want_logs", "want_logs_content", "add_logs":
            "what is fetched is said at the reporter, with 'want_properties', 'want_steps', "
                + "'want_logs' and 'want_logs_content'"
        default: nil
        }
    }
}
