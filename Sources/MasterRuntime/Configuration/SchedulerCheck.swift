package import MasterKit

/// Checks the schedulers of a file against each other, and what refers to them.
struct SchedulerCheck {
    let decoder: SettingDecoder
    let topLevel: TopLevel

    /// Checks schedulers.
    ///
    /// - Parameters:
    ///   - schedulers: The schedulers, or `nil` if there are none or one of them is invalid.
    ///   - builders: The builders, whose steps may trigger them.
    func check(_ schedulers: [SchedulerDeclaration]?, _ builders: [BuilderConfiguration]) {
        guard schedulers != nil || !topLevel.declares("schedulers") else { return }
        let schedulers = schedulers ?? []
        decoder.checkUnique(schedulers.map { ($0.name, $0.range) }) {
            "two schedulers are named '\($0)'; rename one"
        }
        let names = schedulers.map(\.name)
        for use in decoder.schedulerUses where !names.contains(use.name) {
            decoder.error(
                "there is no scheduler '\(use.name)'; "
                    + Suggestion.remedy(for: use.name, among: names), at: use.range)
        }
        checkTriggered(schedulers, builders)
        checkCycles(schedulers)
    }

    /// Rejects steps that trigger a scheduler of another kind.
    private func checkTriggered(
        _ schedulers: [SchedulerDeclaration], _ builders: [BuilderConfiguration]
    ) {
        var told: Set<SourceRange?> = []
        let steps = builders.flatMap(\.steps).compactMap { $0.plugin as? any TriggeringStep }
        for use in steps.flatMap(\.triggeredSchedulers) {
            guard let scheduler = schedulers.first(where: { $0.name == use.name }),
                !(scheduler.plugin is any TriggeredScheduler), told.insert(use.range).inserted
            else { continue }
            decoder.add([
                Diagnostic(
                    .error,
                    "the scheduler '\(use.name)' is a \(scheduler.key), which a step cannot "
                        + "trigger; name a schedulers.Triggerable", range: use.range,
                    notes: [.init("it is declared here", range: scheduler.range)])
            ])
        }
    }

    private func checkCycles(_ schedulers: [SchedulerDeclaration]) {
        let upstreams = Dictionary(
            schedulers.map { ($0.name, $0.plugin.upstreams.map(\.name)) },
            uniquingKeysWith: { one, _ in one })
        var told: Set<String> = []
        for scheduler in schedulers where !told.contains(scheduler.name) {
            guard let cycle = path(from: scheduler.name, upstreams) else { continue }
            told.formUnion(cycle)
            let words = cycle.map { "'\($0)'" }.joined(separator: " follows ")
            decoder.error(
                "schedulers follow each other, so that none would ever build: \(words)",
                at: scheduler.range)
        }
    }

    /// The way from a scheduler through its upstreams back to itself.
    private func path(from start: String, _ upstreams: [String: [String]]) -> [String]? {
        var paths = [[start]]
        var seen: Set<String> = []
        while let path = paths.popLast() {
            for next in upstreams[path[path.count - 1], default: []] {
                if next == start { return path + [start] }
                if seen.insert(next).inserted { paths.append(path + [next]) }
            }
        }
        return nil
    }
}

extension MasterConfiguration {
    /// The scheduler with a name.
    package func scheduler(named name: String) -> SchedulerDeclaration? {
        schedulers.first { $0.name == name }
    }

    /// Completes a request for the builds of a triggered scheduler.
    ///
    /// - Throws: ``TriggerError`` if it cannot be triggered.
    func completing(_ wanted: BuildsetRequest) throws(TriggerError) -> BuildsetRequest {
        guard let name = wanted.scheduler else { return wanted }
        guard let scheduler = scheduler(named: name) else {
            let remedy = Suggestion.remedy(for: name, among: schedulers.map(\.name))
            throw TriggerError("there is no scheduler '\(name)'; \(remedy)")
        }
        guard scheduler.plugin is any TriggeredScheduler else {
            throw TriggerError(
                "the scheduler '\(name)' is a \(scheduler.key), which a step cannot trigger; name "
                    + "a schedulers.Triggerable")
        }
        var wanted = wanted
        wanted.reason = wanted.properties["reason"]?.stringValue ?? scheduler.standardReason
        return scheduler.completing(wanted)
    }
}
