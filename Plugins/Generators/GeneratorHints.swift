/// What to write instead of settings that generators have not, but that are asked of them.
enum GeneratorHints {
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "want_properties", "want_steps", "want_logs", "want_logs_content":
            "what is fetched is said at the formatter, or for its own body at the reporter, with "
                + "'want_properties', 'want_steps', 'want_logs' and 'want_logs_content'"
        case "subject":
            "write it at the formatter: 'message_formatter: {formatters.MessageFormatter: "
                + "{subject: …}}'"
        case "format", "template":
            "write 'message_formatter: {formatters.MessageFormatter: …}', or 'format' at the "
                + "reporter"
        default: nil
        }
    }

    /// What to write instead of the formatters of `generators.BuildStartEndStatusGenerator`.
    static func hint(forOtherFormatter name: String) -> String? {
        switch name {
        case "start_formatter", "end_formatter", "formatter": "write 'message_formatter'"
        default: hint(forUnknown: name)
        }
    }
}
