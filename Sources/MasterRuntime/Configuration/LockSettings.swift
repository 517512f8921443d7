internal import MasterKit

/// `locks`: the names that steps and builders can acquire, with the units of each.
struct LockDeclarations: SettingValue {
    let limits: [String: LockLimit]

    static var shape: String { "a mapping of names to {maxCount: number}" }

    static var form: ValueForm { .mapping(of: .optional(.settings(LockForm.self))) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LockDeclarations? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        var limits: [String: LockLimit] = [:]
        for entry in mapping.entries {
            guard let name = decoder.decode(String.self, from: entry.key) else { continue }
            guard !name.isEmpty else {
                return decoder.error("the name of a lock must not be empty", at: entry.key.range)
            }
            if case .int(let count) = entry.value.resolved {
                decoder.error(
                    "the lock '\(name)' takes a mapping; write {maxCount: \(count)}",
                    at: entry.value.range)
                continue
            }
            let form = decoder.read(
                LockForm.self, from: entry.value, owner: "the lock '\(name)'", at: entry.value.range
            )
            guard let form else { continue }
            if form.maxCount < 1 {
                decoder.error(
                    "'maxCount' of the lock '\(name)' must be at least 1, not \(form.maxCount)",
                    at: entry.value.mapping?["maxCount"]?.range ?? entry.value.range)
            }
            limits[name] = LockLimit(
                maxCount: max(form.maxCount, 1), isPerWorker: form.scope == .worker)
        }
        return limits.count == mapping.entries.count ? LockDeclarations(limits: limits) : nil
    }
}

/// The settings of one lock.
private struct LockForm: SettingHints {
    @Setting("How many units the lock has.") var maxCount = 1

    @Setting("Whether all builds share the units, or each worker has its own.")
    var scope = LockScope.master

    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "maxCountForWorker":
            "every worker has the same number of units; write 'maxCount' and 'scope: worker'"
        case "util.MasterLock": "write its settings in place of it"
        case "util.WorkerLock": "write its settings in place of it, and 'scope: worker'"
        case "mode", "access": "how a lock is shared is written where it is used: {NAME: counting}"
        default: nil
        }
    }
}

/// Whose units a lock has.
enum LockScope: String, SettingEnumeration {
    case master
    case worker
}

extension MasterSettings {
    /// The units of each lock, or `nil` without `locks`. Where builds have one worker only, its
    /// locks are those of the master, which finds more deadlocks.
    var lockLimits: [String: LockLimit]? {
        guard var limits = locks?.limits else { return nil }
        if (workers ?? []).count < 2 {
            for name in limits.keys { limits[name]?.isPerWorker = false }
        }
        return limits
    }
}

/// Checks what builders wait for: that it exists, and that they would not wait for each other.
struct WaitCheck {
    let decoder: SettingDecoder
    let builders: [BuilderConfiguration]
    /// The units of each lock, or `nil` if the declaration of the locks is wrong.
    let limits: [String: LockLimit]?
    /// The schedulers that steps can trigger.
    var schedulers: [SchedulerDeclaration] = []

    /// Checks the names of locks.
    func checkLocks() {
        guard let limits else { return }
        for use in decoder.lockUses {
            if let fault = use.fault(limits: limits) { decoder.error(fault, at: use.range) }
        }
        var told: Set<SourceRange?> = []
        for builder in builders {
            let held = Set(builder.locks.map(\.name))
            for item in builder.steps.flatMap({ $0.options.locks.constant?.items ?? [] })
            where held.contains(item.name) && told.insert(item.range).inserted {
                decoder.error(LockList.fault(ofHeld: item.name), at: item.range)
            }
        }
    }

    /// Checks the names of builders in the settings of steps.
    func checkNames(among names: [String]) {
        for use in decoder.builderUses where !names.contains(use.name) {
            decoder.error(
                "there is no builder '\(use.name)'; \(Suggestion.remedy(for: use.name, among: names))",
                at: use.range)
        }
    }

    // MARK: Waits

    /// A trigger of another builder by a builder's step, which may wait for it.
    private struct Wait {
        let target: BuilderReference
        let isAwaited: Bool
        /// The locks that are held meanwhile.
        let held: [LockDemand]
    }

    /// Checks that no builder triggers itself, directly or through others, and that none holds a
    /// lock that it waits for.
    func checkWaits() {
        let waits = Dictionary(
            builders.map { ($0.name, self.waits(of: $0)) }, uniquingKeysWith: { one, _ in one })
        var told: Set<SourceRange?> = []
        for builder in builders {
            for wait in waits[builder.name, default: []]
            where told.insert(wait.target.range).inserted {
                if let cycle = path(from: wait.target.name, to: builder.name, waits) {
                    let names = ([builder.name] + cycle).map { "'\($0)'" }
                    decoder.error(
                        "builds would trigger each other without end: "
                            + names.joined(separator: " triggers "), at: wait.target.range)
                } else if wait.isAwaited {
                    checkHeld(by: builder.name, wait, waits)
                }
            }
        }
    }

    /// The builders of schedulers, at the places where the schedulers are named; a scheduler that
    /// cannot be triggered is reported elsewhere.
    private func builders(of uses: [SchedulerReference]) -> [BuilderReference] {
        let triggered = schedulers.filter { $0.plugin is any TriggeredScheduler }
        return uses.flatMap { use in
            (triggered.first { $0.name == use.name }?.options.builderNames ?? []).map {
                BuilderReference($0.name, at: use.range)
            }
        }
    }

    private func waits(of builder: BuilderConfiguration) -> [Wait] {
        builder.steps.flatMap { step -> [Wait] in
            // A step with a condition may never run where it would be wrong.
            guard let trigger = step.plugin as? any TriggeringStep,
                step.options.doStepIf.constant == true
            else { return [] }
            let held = builder.locks + demands(of: step)
            let awaited = Set(trigger.awaitedBuilders + builders(of: trigger.awaitedSchedulers))
            let triggered = trigger.triggeredBuilders + builders(of: trigger.triggeredSchedulers)
            return triggered.map {
                Wait(target: $0, isAwaited: awaited.contains($0), held: held)
            }
        }
    }

    private func demands(of step: StepDeclaration) -> [LockDemand] {
        (step.options.locks.constant?.items ?? []).map { $0.demand(limits: limits ?? [:]) }
    }

    private func path(
        from start: String, to end: String, _ waits: [String: [Wait]]
    ) -> [String]? {
        var paths = [[start]]
        var seen: Set = [start]
        while let path = paths.popLast() {
            guard let last = path.last, last != end else { return path }
            for wait in waits[last, default: []] where seen.insert(wait.target.name).inserted {
                paths.append(path + [wait.target.name])
            }
        }
        return nil
    }

    /// Reports a lock that is held during a wait for a builder that needs it.
    private func checkHeld(by builder: String, _ wait: Wait, _ waits: [String: [Wait]]) {
        var (open, seen) = ([wait.target.name], Set([wait.target.name]))
        while let name = open.popLast() {
            guard let target = builders.first(where: { $0.name == name }) else { continue }
            let needed = target.locks + target.steps.flatMap(demands)
            for held in wait.held {
                let same = needed.filter { $0.name == held.name }
                if same.contains(where: { !$0.fits(beside: [held]) }) {
                    decoder.error(
                        "'\(builder)' holds the lock '\(held.name)' while it waits for "
                            + "'\(wait.target.name)', but '\(name)' needs it, too, so that neither "
                            + "could continue; remove the lock from one of them",
                        at: wait.target.range)
                    return
                }
            }
            for next in waits[name, default: []]
            where next.isAwaited && seen.insert(next.target.name).inserted {
                open.append(next.target.name)
            }
        }
    }
}
