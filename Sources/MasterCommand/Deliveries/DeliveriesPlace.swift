internal import ArgumentParser
internal import MasterKit
internal import MasterRuntime

/// Whose deliveries are meant.
struct DeliveriesPlace: ParsableArguments {
    @OptionGroup var source: ConfigurationOptions
    @OptionGroup var base: BaseFolderOptions

    /// The base folder.
    var folder: String { base.path(beside: source.file) }

    /// The commands for the same folder.
    var advice: DeliveriesAdvice { DeliveriesAdvice(options: base.spelling(source)) }

    /// Runs a body with the deliveries, `nil` when no master has used the folder.
    func withDesk<Value>(_ body: (DeliveryDesk?) async throws -> Value) async throws -> Value {
        try await DeliveryDesk.with(folder: folder, body)
    }

    /// What there is to say when no master has used the folder.
    var unused: String { "no run has used \(folder) yet, so no reports are kept there" }

    /// Says that there are no such deliveries.
    func unknown(_ ids: [Int]) -> FailedRun {
        let names = ids.map { "\($0)" }.joined(separator: ", ")
        return FailedRun(
            "there is no delivery \(names) in \(folder); "
                + advice.to("see those there are", "list"))
    }

    /// Says that there is no such reporter.
    func unknown(reporter: String, among known: [ReporterRecord]) -> FailedRun {
        let name = reporter.makingControlsVisible()
        guard !known.isEmpty else {
            return FailedRun("no reporter was ever used in \(folder), so there is no '\(name)'")
        }
        let remedy = Suggestion.remedy(for: reporter, among: known.map(\.name))
        return FailedRun("no reporter '\(name)' was ever used in \(folder); \(remedy)")
    }
}
