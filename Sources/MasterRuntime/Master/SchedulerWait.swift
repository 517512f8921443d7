package import FoundationEssentials
internal import MasterKit

/// What a scheduler waits for before it builds.
package enum SchedulerWait: Sendable, Hashable {
    /// The time of its next build.
    case time(Date)
    /// That no more changes come until a time, at which those that have come are built.
    case noMoreChanges(until: Date)
    case changes
    /// Builds of other schedulers.
    case builds(of: [String])
    /// A step of another build.
    case trigger
    case person

    /// What it waits for, in words that follow "waiting for".
    package var words: String {
        switch self {
        case .time: "its next time"
        case .noMoreChanges: "no more changes"
        case .changes: "changes"
        case .builds(let schedulers): "builds of " + schedulers.joined(separator: ", ")
        case .trigger: "a trigger"
        case .person: "a person"
        }
    }

    /// The time at which it builds unless something comes before.
    package var until: Date? {
        switch self {
        case .time(let moment), .noMoreChanges(let moment): moment
        case .changes, .builds, .trigger, .person: nil
        }
    }
}

extension SchedulerWait {
    /// Makes what a scheduler waits for, unless it waits for nothing that is known.
    ///
    /// - Parameters:
    ///   - scheduler: The scheduler.
    ///   - moment: The end of its sleep; `nil` if it does not sleep.
    init?(_ scheduler: any Scheduler, until moment: Date?) {
        let followsChanges = scheduler.wantedEvents.contains(.changeNew)
        let upstreams = scheduler.upstreams.map(\.name)
        switch moment {
        case let moment?: self = followsChanges ? .noMoreChanges(until: moment) : .time(moment)
        case nil where followsChanges: self = .changes
        case nil where !upstreams.isEmpty: self = .builds(of: upstreams)
        case nil where scheduler is any TriggeredScheduler: self = .trigger
        case nil where scheduler is any ForcedScheduler: self = .person
        case nil: return nil
        }
    }
}

extension Master {
    /// What the schedulers of the file wait for, by their names.
    package var schedulerWaits: [String: SchedulerWait] {
        let waits = current.schedulers.compactMap { scheduler in
            SchedulerWait(scheduler.plugin, until: nextTimes[scheduler.name]).map {
                (scheduler.name, $0)
            }
        }
        return Dictionary(waits, uniquingKeysWith: { one, _ in one })
    }
}
