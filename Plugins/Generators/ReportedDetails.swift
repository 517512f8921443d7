import MasterKit

/// The settings by which generators of builds add to what a formatter wants.
struct ReportedDetails: Settings {
    @Setting(
        "Which logs come with their content; 'want_logs_content' of a formatter is better.",
        .named("add_logs"))
    var logContents: LogContentChoice?

    @Setting("Put the patches of the sources into the report.", .named("add_patch"))
    var addsPatches = false

    /// Notes what Buildbot has replaced.
    func check(_ settings: SettingsCheck) {
        guard settings.isGiven("add_logs") else { return }
        settings.warning(
            "'add_logs' is an old spelling; write 'want_logs_content' at the formatter",
            at: "add_logs")
    }

    /// The options of a report by a generator of some modes.
    func options(_ modes: ReportModes = .none) -> ReportOptions {
        ReportOptions(
            modes: modes, logContents: logContents?.contents, addsPatches: addsPatches)
    }
}
