public import MasterKit
import Synchronization

/// What was logged, kept in memory.
public final class RecordedMessages: Sendable {
    private let state = Mutex<[(level: Logger.Level, text: String)]>([])

    /// Makes an empty record.
    public init() {}

    /// All messages, in order.
    public var texts: [String] { state.withLock { $0.map(\.text) } }

    /// The messages of one level, in order.
    public func texts(at level: Logger.Level) -> [String] {
        state.withLock { $0.filter { $0.level == level }.map(\.text) }
    }

    /// Takes messages of every level for this record.
    public var handler: any LogHandler { Handler(record: self) }

    private func add(_ text: String, at level: Logger.Level) {
        state.withLock { $0.append((level, text)) }
    }

    private struct Handler: LogHandler {
        let record: RecordedMessages
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            record.add("\(event.message)", at: event.level)
        }
    }
}
