import Synchronization

/// One transfer as tasks and the loop's thread know it: what to do, whether to stop, whom to tell.
final class TransferJob: Sendable {
    let spec: TransferSpec
    /// Takes the body of a final answer; nil when it is collected.
    let stream: BodyStream?
    private let cancelled = Atomic(false)

    init(_ spec: TransferSpec, stream: BodyStream?) {
        self.spec = spec
        self.stream = stream
    }

    /// Whether the waiting task was cancelled, perhaps before the loop knew the job.
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    /// Marks the job; the loop must be told as well.
    func markCancelled() {
        cancelled.store(true, ordering: .releasing)
    }
}
