import MasterKit

/// The settings by which a formatter says what is to be fetched.
struct WantedDetails: Settings {
    @Setting("Put the build's properties into the record.", .named("want_properties"))
    var properties = true

    @Setting("Put the build's steps into the record.", .named("want_steps"))
    var steps = false

    @Setting("Put the logs of the steps into the record.", .named("want_logs"))
    var logs = false

    @Setting("Put the content of logs into the record.", .named("want_logs_content"))
    var logContents = LogContentChoice(contents: .none)

    /// What is to be fetched.
    var details: BuildDetails {
        BuildDetails(
            properties: properties, steps: steps, logs: logs, logContents: logContents.contents)
    }

    /// What to write instead of a setting that Buildbot has had.
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "wantProperties": "write 'want_properties'"
        case "wantSteps": "write 'want_steps'"
        case "wantLogs": "write 'want_logs', and 'want_logs_content' for their content"
        case "wantPreviousBuild":
            "the result of the build before is 'previous_results' in templates"
        default: nil
        }
    }
}
