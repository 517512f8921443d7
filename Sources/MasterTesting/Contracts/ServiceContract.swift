public import MasterKit

/// The promises of a service.
///
/// ```swift
/// try await ServiceContract(
///     Chain.self, ["after": "a", "builderNames": ["b"]],
///     events: [RecordedBuild(builder: "a").finished]
/// ).verify()
/// ```
///
/// The service is run with the events, cancelled, restarted between them, and run by a master that
/// accepts no builds.
public struct ServiceContract<P: MasterService>: Contract {
    private let subject: ContractSubject<P>
    private let events: [Event]
    private let state: JSONValue?
    private let secrets: [String: String]

    /// Creates a contract.
    ///
    /// - Parameters:
    ///   - type: The service.
    ///   - settings: Its settings.
    ///   - events: Events that make it do something.
    ///   - state: The state that it has saved in an earlier run.
    ///   - secrets: Values of secrets; others that the settings use are invented.
    ///   - plugins: The plugins that the settings name.
    ///   - limit: How long the service may take to end.
    public init(
        _ type: P.Type, _ settings: SettingLiteral = [:], events: [Event] = [],
        state: JSONValue? = nil, secrets: [String: String] = [:], plugins: [PluginBundle] = [],
        limit: Duration = .seconds(20)
    ) {
        subject = ContractSubject(settings, plugins: plugins, scope: .service, limit: limit)
        self.events = events
        self.state = state
        self.secrets = secrets
    }

    /// Checks every promise.
    public func brokenPromises() async throws -> [BrokenPromise] {
        let findings = Findings()
        guard subject.checkDeclarations(findings) else { return findings.sorted }
        try await subject.withPlugin(findings) { service, names in
            let secrets = ContractSecrets(names, given: secrets)
            if !service.wantedEvents.isEmpty {
                let whole = try ServiceHarness(state: state, secrets: secrets.values)
                guard await run(service, whole, events, findings) else { return }
                try await checkRestarts(service, whole, secrets, findings)
                try await checkFailedSubmits(service, secrets, findings)
            }
            try await checkCancellation(service, secrets, findings)
        }
        return findings.sorted
    }

    private func run(
        _ service: P, _ harness: ServiceHarness, _ events: [Event], _ findings: Findings
    ) async -> Bool {
        let end = await Limited.run(within: subject.limit) {
            try await harness.run(service, events: events)
        }
        switch end {
        case .success?: return true
        case .failure(let error)?: findings.add(.doesItsWork, "it throws: \(error)")
        case nil:
            findings.add(.endsWithItsEvents, "it still ran after \(subject.limit.inSeconds)")
        }
        return false
    }

    private func checkRestarts(
        _ service: P, _ whole: ServiceHarness, _ secrets: ContractSecrets, _ findings: Findings
    ) async throws {
        for count in events.indices.dropFirst() {
            let parts = try ServiceHarness(state: state, secrets: secrets.values)
            guard await run(service, parts, Array(events[..<count]), findings),
                await run(service, parts, Array(events[count...]), findings)
            else { return }
            if parts.shown != whole.shown {
                findings.add(
                    .continuesAfterRestart,
                    "with a restart after event \(count) it submits \(parts.shown), without one "
                        + whole.shown)
            }
        }
    }

    private func checkFailedSubmits(
        _ service: P, _ secrets: ContractSecrets, _ findings: Findings
    ) async throws {
        let harness = try ServiceHarness(
            state: state, secrets: secrets.values,
            accepting: { _ in throw RefusedBuild() })
        let end = await Limited.run(within: subject.limit) {
            try await harness.run(service, events: events)
        }
        if end == nil {
            findings.add(.survivesFailedSubmits, "it still ran after \(subject.limit.inSeconds)")
        }
    }

    private func checkCancellation(
        _ service: P, _ secrets: ContractSecrets, _ findings: Findings
    ) async throws {
        let harness = try ServiceHarness(state: state, secrets: secrets.values)
        let bus = EventBus()
        let ends = await bus.withSubscription(to: service.wantedEvents, bound: 1024) { wanted in
            bus.publish(events)
            let begun = Latch()
            return await Limited.endsWhenCancelled(within: subject.limit, at: begun) {
                begun.open()
                try await harness.run(service, wanted)
            }
        }
        if !ends {
            findings.add(.endsWhenCancelled, "it still ran after \(subject.limit.inSeconds)")
        }
    }
}

/// The master accepts no builds.
struct RefusedBuild: Error, CustomStringConvertible {
    let description = "the master is shutting down"
}

extension ServiceHarness {
    fileprivate var shown: String {
        let builds = requests.map { request in
            "\(request.builders?.joined(separator: " ") ?? "all builders") (\(request.reason))"
        }
        let state = savedState.map { JSONWriter.compact.string($0) } ?? "nothing"
        return "\(builds) and saves \(state)"
    }
}

/// The promises of a provider of secrets.
///
/// ```swift
/// try await SecretContract(FileSecrets.self, "secrets", knowing: "token") {
///     SecretHarness(folder: folder.path, worker: folder.localWorker)
/// }.verify()
/// ```
public struct SecretContract<P: SecretProvider>: Contract {
    private let subject: ContractSubject<P>
    private let known: String
    private let makeHarness: @Sendable () throws -> SecretHarness

    /// Creates a contract.
    ///
    /// - Parameters:
    ///   - type: The provider.
    ///   - settings: Its settings.
    ///   - known: The name of a secret that it knows.
    ///   - limit: How long an answer may take.
    ///   - harness: Creates the folder and the machine of the provider.
    public init(
        _ type: P.Type, _ settings: SettingLiteral = [:], knowing known: String,
        limit: Duration = .seconds(20),
        harness: @escaping @Sendable () throws -> SecretHarness = { SecretHarness() }
    ) {
        subject = ContractSubject(settings, plugins: [], scope: .service, limit: limit)
        self.known = known
        makeHarness = harness
    }

    /// Checks every promise.
    public func brokenPromises() async throws -> [BrokenPromise] {
        let findings = Findings()
        guard subject.checkDeclarations(findings) else { return findings.sorted }
        let unknown = "a-secret-that-nobody-has"
        try await subject.withPlugin(findings) { provider, _ in
            let context = try makeHarness().context
            var values: Set<String> = []
            for _ in 1...2 {
                switch await value(of: known, from: provider, context) {
                case .success(let value?): values.insert(value)
                case .success(nil): findings.add(.knowsItsSecret, "it has no value for '\(known)'")
                case .failure(let error): findings.add(.knowsItsSecret, "it throws: \(error)")
                }
            }
            if values.count > 1 {
                findings.add(.knowsItsSecret, "the second value differs from the first")
            }
            switch await value(of: unknown, from: provider, context) {
            case .success(nil): break
            case .success: findings.add(.deniesUnknownSecrets, "it has one for '\(unknown)'")
            case .failure(let error): findings.add(.deniesUnknownSecrets, "it throws: \(error)")
            }
        }
        return findings.sorted
    }

    private func value(
        of name: String, from provider: P, _ context: SecretContext
    ) async -> Result<String?, any Error> {
        await Limited.run(within: subject.limit) {
            try await provider.value(of: name, in: context)
        } ?? .failure(CommandError(.system, "it took more than \(subject.limit.inSeconds)"))
    }
}
