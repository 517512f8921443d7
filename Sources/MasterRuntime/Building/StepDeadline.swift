internal import MasterKit

/// A step took longer than it may.
struct StepDeadline: Error {
    /// Runs work and cancels it when its time is over.
    ///
    /// - Throws: ``StepDeadline`` when the time was over first; else what the work throws.
    static func run(
        within limit: Duration?, _ work: @escaping @Sendable () async throws -> Results
    ) async throws -> Results {
        guard let limit else { return try await work() }
        return try await withThrowingTaskGroup(of: Results?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            let first = try await group.next() ?? nil
            guard let results = first else {
                group.cancelAll()
                // The work ends in its own way after it was cancelled; only then is the step over.
                while await group.nextResult() != nil {}
                try Task.checkCancellation()
                throw StepDeadline()
            }
            return results
        }
    }
}
