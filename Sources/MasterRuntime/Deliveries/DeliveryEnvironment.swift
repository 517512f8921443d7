import Crypto
import FoundationEssentials
import Logging
import MasterHTTP
import MasterKit
import Synchronization

/// What all parts of the deliveries work with.
struct DeliveryEnvironment: Sendable {
    /// Where events are read and deliveries are kept.
    let store: Store
    /// What begins the id of every delivery.
    let storeID: String
    /// The title and address of the master.
    var identity: MasterIdentity
    /// What reporters' settings refer to.
    var secrets: SecretValues
    /// What sends requests.
    let http: HTTPClient
    /// Where faults are said.
    let logger: Logger
    /// The time.
    let clock: DeliveryClock
    /// When a failed try is repeated.
    let schedule: RetrySchedule
    /// How much is kept for how long.
    var bounds = DeliveryBounds()
    /// What has become of reports in this run.
    let tally = DeliveryTally()
    /// Raised whenever something has come to an end.
    let changed = Signal()

    /// What hides secrets.
    var mask: SecretMask { secrets.mask }

    /// The same for another configuration.
    func with(
        _ secrets: SecretValues, _ identity: MasterIdentity, _ bounds: DeliveryBounds
    ) -> DeliveryEnvironment {
        var environment = self
        environment.secrets = secrets
        environment.identity = identity
        environment.bounds = bounds
        return environment
    }

    /// Whether a pipeline works in the same way in another environment of the same master.
    func isEqual(to other: DeliveryEnvironment) -> Bool {
        secrets.byName == other.secrets.byName && identity == other.identity
            && bounds == other.bounds
    }
}

extension DeliveryEnvironment {
    /// What a reporter sees while it sends.
    func context(for recipient: Recipient, id: DeliveryID, attempt: Int) -> DeliveryContext {
        DeliveryContext(
            id: "\(id)", attempt: attempt, logger: logger, secrets: secrets, mask: mask, http: http,
            session: recipient.session)
    }
}

/// The time of deliveries: what has passed since they were opened, whatever the clock on the wall says.
struct DeliveryClock: Sendable {
    /// The time since they were opened.
    var elapsed: Duration { read() }
    /// The date, counted from when they were opened.
    var now: Date { opened.addingTimeInterval(elapsed / .seconds(1)) }

    private let opened = Date()
    private let read: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// Begins to count with a clock.
    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        read = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(until: start.advanced(by: $0), tolerance: nil) }
    }

    /// Waits until so much time has passed; returns early in a task that is cancelled.
    func wait(until moment: Duration) async {
        do {
            try await sleep(moment)
        } catch {
            // A clock throws only when the task is cancelled, and who waits looks at that itself.
        }
    }
}

/// A configured reporter as the deliveries work with it.
struct Recipient: Sendable {
    /// The row of the reporter.
    let id: Int
    /// The name, unique in a master.
    let name: String
    /// What sends.
    let reporter: any Reporter
    /// What makes reports; the place of a generator is the part of its deliveries.
    let generators: [any ReportGenerator]
    /// The events that some generator asks for.
    let kinds: Set<EventKind>
    /// When a report that was not delivered is tried again.
    let schedule: RetrySchedule
    /// How many reports are in flight at once.
    let inFlight: Int
    /// Where the reporter's cookies and defaults live.
    let session: HTTPSession

    init(
        _ declaration: ReporterDeclaration, id: Int, session: HTTPSession,
        schedule: RetrySchedule
    ) {
        self.id = id
        self.session = session
        self.schedule = schedule.following(declaration.retry)
        inFlight = declaration.inFlight
        name = declaration.name
        reporter = declaration.plugin
        generators = declaration.generators
        kinds = declaration.kinds
    }
}

extension ReporterDeclaration {
    /// The events that some generator asks for.
    var kinds: Set<EventKind> {
        generators.reduce(into: []) { $0.formUnion($1.wantedEvents) }
    }
}

extension DeliveryEnvironment {
    /// What tells the present address of a reporter from others without showing it.
    ///
    /// - Returns: `nil` for a reporter without one, or when it cannot be computed at present.
    func fingerprint(of recipient: Recipient) -> String? {
        let id = DeliveryID(store: storeID, reporter: recipient.id, event: 0, part: 0)
        do {
            let context = context(for: recipient, id: id, attempt: 0)
            guard let address = try recipient.reporter.receiver(in: context) else { return nil }
            let key = SymmetricKey(data: Array("\(id)".utf8))
            let code = HMAC<SHA256>.authenticationCode(for: Array(address.utf8), using: key)
            return Data(code).base64EncodedString()
        } catch {
            // Every try to send says why; until then it counts as the address it was.
            return nil
        }
    }
}

/// Counts what becomes of reports in this run, also of those whose rows are removed meanwhile.
final class DeliveryTally: Sendable {
    private struct Counts {
        var delivered = 0
        var dead = 0
        var untold = 0
    }

    private let counts = Mutex(Counts())

    /// How many reports have arrived.
    var delivered: Int { counts.withLock(\.delivered) }
    /// How many were given up.
    var dead: Int { counts.withLock(\.dead) }
    /// How many were removed before anybody was told that they were given up.
    var untold: Int { counts.withLock(\.untold) }

    /// Counts a try.
    func note(_ outcome: DeliveryOutcome) {
        counts.withLock { counts in
            switch outcome {
            case .delivered: counts.delivered += 1
            case .dead: counts.dead += 1
            case .again, .closed: break
            }
        }
    }

    /// Counts reports that were given up without a try, or removed untold.
    func note(dead count: Int, untold: Int = 0) {
        counts.withLock { counts in
            counts.dead += count
            counts.untold += untold
        }
    }
}
