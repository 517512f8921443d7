internal import Logging
internal import MasterKit
internal import MasterRuntime
internal import Synchronization

/// Logs the beginning and the end of builds.
///
/// As a server of the master it is prepared before the first build begins.
final class BuildLog: MasterServer {
    /// The number of events that the log may fall behind.
    private static let bound = 1024

    private struct Unchanged: PreparedServer {
        func apply() async {}
        func discard() async {}
    }

    private let logger: Logger
    private let following = Mutex<Task<Void, Never>?>(nil)

    init(_ logger: Logger) {
        self.logger = logger
    }

    func prepare(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, for master: Master
    ) async throws -> any PreparedServer {
        following.withLock { following in
            guard following == nil else { return }
            let events = master.events.subscribe(
                to: [.buildNew, .buildFinished], bound: Self.bound)
            // Ends with the store's events, at the latest.
            following = Task { await follow(events) }
        }
        return Unchanged()
    }

    /// Does nothing: the last builds end after the servers.
    func stop() async {}

    /// Waits until the ends of all builds are logged, after the master has ended.
    func finish() async {
        await following.withLock(\.self)?.value
    }

    private func follow(_ events: EventSubscription) async {
        for await delivery in events {
            switch delivery {
            case .missed(let count): logger.warning("\(count.counting("build event")) not logged")
            case .event(let event): log(event)
            }
        }
    }

    private func log(_ event: Event) {
        let number = event.record["number"]?.intValue ?? 0
        let build = "\(event.builderName ?? "") #\(number)"
        guard event.kind == .buildFinished else {
            let reason = event.record["buildset"]?["reason"]?.stringValue ?? ""
            logger.info("\(build) started: \(reason)")
            return
        }
        logger.info("\(build) \(event.record["state_string"]?.stringValue ?? "")")
    }
}
