import FoundationEssentials
public import Logging
public import MasterHTTP
public import MasterKit

extension Outbox {
    /// Takes the reporters of a configuration up, before the first build of a run.
    ///
    /// What earlier runs left open is due at once; what belongs to reporters that are configured
    /// no more is parked.
    ///
    /// - Parameters:
    ///   - store: Where events are read and deliveries are kept.
    ///   - reporters: The reporters, started.
    ///   - secrets: What their settings refer to.
    ///   - mask: What hides secrets.
    ///   - http: What sends their requests.
    ///   - identity: The title and address of the master.
    ///   - bounds: How much is kept for how long.
    ///   - logger: Where faults are said.
    ///   - clock: The time by which tries are repeated.
    /// - Returns: An outbox that does nothing until it runs.
    /// - Throws: `StoreError`, or `HTTPError` when the system has no memory for a session.
    public static func open(
        store: Store,
        reporters: [ReporterDeclaration],
        secrets: SecretValues,
        mask: SecretMask,
        http: HTTPClient,
        identity: MasterIdentity,
        bounds: DeliveryBounds = DeliveryBounds(),
        logger: Logger,
        clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> Outbox {
        try await open(
            reporters,
            in: OutboxEnvironment(
                store: store,
                storeID: store.identifier,
                identity: identity,
                secrets: secrets,
                mask: mask,
                http: http,
                logger: logger,
                clock: OutboxClock(clock),
                schedule: RetrySchedule(),
                bounds: bounds
            )
        )
    }

    static func open(
        _ reporters: [ReporterDeclaration],
        in environment: OutboxEnvironment
    ) async throws -> Outbox {
        let names = reporters.map(\.name)
        let store = environment.store
        let openedAt = environment.clock.now
        let followed = try await store.write { try $0.follow(reportersNamed: names) }
        let (newest, changeCount) = try await store.read { database in
            (try Event.newestSequence(in: database), try database.changeCount())
        }
        var generations: [Generation] = []
        var sendings: [Sending] = []
        for (declaration, known) in zip(reporters, followed) {
            let recipient = Recipient(
                declaration,
                id: known.id,
                session: try environment.http.makeSession(),
                schedule: environment.schedule
            )
            let sending = try await open(recipient, known, in: environment)
            let crashWatch = CrashWatch(
                newestEvent: store.endedUncleanly ? newest : nil,
                suspicion: known.suspicion
            )
            sendings.append(sending)
            generations.append(
                Generation(
                    of: recipient,
                    from: known.cursor,
                    watching: crashWatch,
                    to: sending,
                    in: environment
                )
            )
        }
        store.storeEvents(
            of: generations.reduce(into: []) { $0.formUnion($1.recipient.kinds) }
        )
        return Outbox(
            environment: environment,
            generations: generations,
            sendings: sendings,
            lastOfEarlierRuns: newest,
            changeCount: changeCount,
            openedAt: openedAt
        )
    }

    private static func open(
        _ recipient: Recipient,
        _ known: FollowedReporter,
        in environment: OutboxEnvironment
    ) async throws -> Sending {
        let isClosed = try await isStillClosed(recipient, known.closure, in: environment)
        let letters = try await environment.store.read { database in
            try database.openLetters(ofReporter: known.id)
        }
        return Sending(to: recipient, leftOpen: letters, isClosed: isClosed, in: environment)
    }

    /// Whether an endpoint that said it is gone is still the one that reports go to.
    private static func isStillClosed(
        _ recipient: Recipient,
        _ closure: EndpointClosure?,
        in environment: OutboxEnvironment
    ) async throws -> Bool {
        guard let closure else { return false }
        let receiver = environment.fingerprint(of: recipient)
        if let receiver, receiver != closure.receiver {
            let id = recipient.id
            _ = try await environment.store.write { try $0.database.resumeReporter(id) }
            return false
        }
        environment.logger.warning(
            """
            nothing is sent to \(recipient.name), whose endpoint is closed: \(closure.reason); \
            its reports are kept until its address changes or it is resumed
            """
        )
        return true
    }
}
