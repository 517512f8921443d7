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
    ///   - logger: Where faults are said.
    ///   - clock: The time by which tries are repeated.
    /// - Returns: An outbox that does nothing until it runs.
    /// - Throws: `StoreError`, or `HTTPError` when the system has no memory for a session.
    public static func open(
        store: Store,
        reporters: [PluginDeclaration<any Reporter>],
        secrets: SecretValues,
        mask: SecretMask,
        http: HTTPClient,
        identity: MasterIdentity,
        logger: Logger,
        clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> Outbox {
        try await open(
            reporters,
            in: OutboxEnvironment(
                store: store,
                source: StoreReportSource(store),
                storeID: store.identifier,
                identity: identity,
                secrets: secrets,
                mask: mask,
                http: http,
                logger: logger,
                clock: OutboxClock(clock),
                schedule: RetrySchedule()
            )
        )
    }

    static func open(
        _ reporters: [PluginDeclaration<any Reporter>],
        in environment: OutboxEnvironment
    ) async throws -> Outbox {
        let names = reporters.map(\.name)
        let store = environment.store
        let openedAt = Date()
        let followed = try await store.write { try $0.follow(reportersNamed: names) }
        let newest = try await store.read { try Event.newestSequence(in: $0) }
        var generations: [Generation] = []
        var sendings: [Sending] = []
        for (declaration, known) in zip(reporters, followed) {
            let recipient = Recipient(
                declaration,
                id: known.id,
                session: try environment.http.makeSession()
            )
            let letters = try await store.read { try $0.openLetters(ofReporter: known.id) }
            let sending = Sending(to: recipient, leftOpen: letters, in: environment)
            sendings.append(sending)
            generations.append(
                Generation(of: recipient, from: known.cursor, to: sending, in: environment)
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
            openedAt: openedAt
        )
    }
}
