import MasterKit

@testable import MasterRuntime

/// The store's operations, for tests whose values contain no secrets.
extension StoreTransaction {
    func submit(
        _ buildset: Buildset, builders: [Builder], properties: Properties, priority: Int = 0,
        waitedFor: Bool = false
    ) throws -> Submission {
        try submit(
            Masked(alreadyMasked: buildset), builders: builders,
            properties: Masked(alreadyMasked: properties),
            priority: priority, waitedFor: waitedFor)
    }

    func announce(_ build: Build) throws {
        try announce(build.id, properties: Masked(alreadyMasked: build.properties))
    }

    func updateBuild(_ id: Int, changed: Properties) throws {
        try updateBuild(id, changed: Masked(alreadyMasked: changed))
    }

    @discardableResult
    func finishBuild(
        _ id: Int, results: Results, stateString: Masked<String>, properties: Properties,
        outcome: BuildOutcome = .finished
    ) throws -> Build {
        try finishBuild(
            id, results: results, stateString: stateString,
            properties: Masked(alreadyMasked: properties), outcome: outcome)
    }
}
