/// Thrown when the worker itself is gone; the build ends as retry, whatever the command did.
public struct WorkerLost: Error, Sendable, CustomStringConvertible {
    /// The name of the worker.
    public var worker: String

    /// What is known of the loss, in words.
    public var reason: String

    /// Makes the error.
    ///
    /// - Parameters:
    ///   - worker: The name of the worker.
    ///   - reason: What is known of the loss.
    public init(worker: String, reason: String) {
        self.worker = worker
        self.reason = reason
    }

    /// The loss in one sentence.
    public var description: String { "worker \(worker) is lost: \(reason)" }
}
