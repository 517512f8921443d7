import Crypto
import FoundationEssentials
import Logging
import MasterHTTP
import MasterKit
import Synchronization

/// The environment that all parts of the deliveries share.
struct DeliveryEnvironment: Sendable {
    /// Provides events and stores deliveries.
    let store: Store
    /// The first part of every delivery id.
    let storeID: String
    /// The title and URL of the master.
    var identity: MasterIdentity
    /// The secrets that reporters' settings refer to.
    var secrets: SecretValues
    /// Sends requests.
    let http: HTTPClient
    /// Logs failures.
    let logger: Logger
    /// The clock.
    let clock: ElapsedClock
    /// The default retry schedule.
    let schedule: RetrySchedule
    /// The limits on what is stored.
    var bounds = DeliveryBounds()
    /// Counts the outcomes of reports in this run.
    let tally = DeliveryTally()
    /// Raised whenever something has finished.
    let changed = Signal()

    /// Masks secrets.
    var mask: SecretMask { secrets.mask }

    /// A copy for another configuration.
    func with(
        _ secrets: SecretValues, _ identity: MasterIdentity, _ bounds: DeliveryBounds
    ) -> DeliveryEnvironment {
        var environment = self
        environment.secrets = secrets
        environment.identity = identity
        environment.bounds = bounds
        return environment
    }

    /// Whether a pipeline works the same in another environment of the same master.
    func isEqual(to other: DeliveryEnvironment) -> Bool {
        secrets.byName == other.secrets.byName && identity == other.identity
            && bounds == other.bounds
    }
}

extension DeliveryEnvironment {
    /// The logger of a reporter and its generators.
    func logger(of reporter: RunningReporter) -> Logger {
        var logger = logger
        logger[metadataKey: "reporter"] = .string(reporter.name)
        return logger
    }

    /// The context that a reporter receives when it sends.
    func context(for reporter: RunningReporter, id: DeliveryID, attempt: Int) -> DeliveryContext {
        DeliveryContext(
            id: "\(id)", attempt: attempt, logger: self.logger(of: reporter), secrets: secrets,
            mask: mask, http: http,
            session: reporter.session)
    }
}

extension DeliveryEnvironment {
    /// Identifies the reporter's current URL without revealing it.
    ///
    /// - Parameters:
    ///   - reporter: The reporter.
    ///   - known: What is returned if the URL cannot be computed at present.
    /// - Returns: `nil` for a reporter without a URL of its own.
    func fingerprint(of reporter: RunningReporter, orIfUnknown known: String? = nil) -> String? {
        let id = DeliveryID(store: storeID, reporter: reporter.id, event: 0, part: 0)
        do {
            let context = context(for: reporter, id: id, attempt: 0)
            guard let address = try reporter.plugin.receiver(in: context) else { return nil }
            let key = SymmetricKey(data: Array("\(id)".utf8))
            let code = HMAC<SHA256>.authenticationCode(for: Array(address.utf8), using: key)
            return Data(code).base64EncodedString()
        } catch {
            // Every attempt to send reports the error; until then the URL counts as unchanged.
            return known
        }
    }
}

/// Counts the outcomes of reports in this run, including those whose rows are removed meanwhile.
final class DeliveryTally: Sendable {
    private struct Counts {
        var delivered = 0
        var dead = 0
        var nothing = 0
        var untold = 0
    }

    private let counts = Mutex(Counts())

    /// The number of delivered reports.
    var delivered: Int { counts.withLock(\.delivered) }
    /// The number of dead reports.
    var dead: Int { counts.withLock(\.dead) }
    /// The number of reports that their reporters did not send.
    var nothing: Int { counts.withLock(\.nothing) }
    /// The number of dead reports that were removed before they could be reported.
    var untold: Int { counts.withLock(\.untold) }

    /// Counts an attempt.
    func note(_ outcome: DeliveryOutcome) {
        counts.withLock { counts in
            switch outcome {
            case .delivered: counts.delivered += 1
            case .dead: counts.dead += 1
            case .nothing: counts.nothing += 1
            case .again, .closed: break
            }
        }
    }

    /// Counts reports that were given up without an attempt, or removed before they could be
    /// reported.
    func note(dead count: Int, untold: Int = 0) {
        counts.withLock { counts in
            counts.dead += count
            counts.untold += untold
        }
    }
}
