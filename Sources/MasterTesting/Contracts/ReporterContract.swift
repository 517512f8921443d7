public import MasterKit
import Synchronization

/// The promises of a reporter.
///
/// ```swift
/// try await ReporterContract(ChatRoom.self) { ["url": "\($0)/room"] }.verify()
/// ```
///
/// The reporter gets the reports of its own generators for sample builds, and sends them to receivers
/// that accept, fail, reject, close the connection, and do not answer. A secret in its settings that
/// has no value gets one.
public struct ReporterContract<P: Reporter>: Contract {
    private let subject: ContractSubject<P>
    private let url: String?
    private let secrets: @Sendable (String) -> [String: String]
    private let settings: @Sendable (String) -> SettingLiteral
    private let plugins: [PluginBundle]
    private let limit: Duration

    /// Creates a contract for a reporter that sends HTTP.
    ///
    /// - Parameters:
    ///   - type: The reporter.
    ///   - secrets: Values of secrets, given the URL of the receiver.
    ///   - plugins: The plugins that the settings name.
    ///   - limit: How long an attempt may take, and how long its end after a cancellation.
    ///   - settings: The settings, given the URL of the receiver without a slash at its end.
    public init(
        _ type: P.Type, secrets: @escaping @Sendable (String) -> [String: String] = { _ in [:] },
        plugins: [PluginBundle] = [], limit: Duration = .seconds(20),
        settings: @escaping @Sendable (String) -> SettingLiteral
    ) {
        self.init(secrets, plugins, limit, url: "http://127.0.0.1:9", settings)
    }

    /// Creates a contract for a reporter that sends no HTTP; how it fails is not checked.
    ///
    /// - Parameters:
    ///   - type: The reporter.
    ///   - settings: The settings.
    ///   - plugins: The plugins that the settings name.
    ///   - limit: How long an attempt may take.
    public init(
        _ type: P.Type, _ settings: SettingLiteral, plugins: [PluginBundle] = [],
        limit: Duration = .seconds(20)
    ) {
        self.init({ _ in [:] }, plugins, limit, url: nil) { _ in settings }
    }

    private init(
        _ secrets: @escaping @Sendable (String) -> [String: String], _ plugins: [PluginBundle],
        _ limit: Duration, url: String?, _ settings: @escaping @Sendable (String) -> SettingLiteral
    ) {
        self.secrets = secrets
        self.plugins = plugins
        self.limit = limit
        self.url = url
        self.settings = settings
        subject = ContractSubject(
            settings(url ?? ""), plugins: plugins, scope: .service, limit: limit)
    }

    /// Checks every promise.
    public func brokenPromises() async throws -> [BrokenPromise] {
        let findings = Findings()
        guard subject.checkDeclarations(findings) else { return findings.sorted }
        guard url != nil else {
            try await subject.withPlugin(findings) { reporter, names in
                let trial = try Trial(reporter, names, [:], limit)
                for report in await trial.reports(findings) {
                    await trial.expectDelivery(of: report, findings)
                }
                trial.checkSecrets(findings)
            }
            return findings.sorted
        }
        if let report = try await checkGoodReceiver(findings) {
            try await checkBadReceivers(report, findings)
        }
        return findings.sorted
    }

    /// Runs a closure with a receiver, and with a reporter that sends to it.
    private func with(
        _ findings: Findings, answering handler: @escaping LoopbackServer.Handler,
        _ body: (Trial, LoopbackServer) async throws -> Void
    ) async throws {
        try await withLoopbackServer(handler: handler) { server in
            let own = ContractSubject<P>(
                settings(server.url), plugins: plugins, scope: .service, limit: limit)
            try await own.withPlugin(findings) { reporter, names in
                let trial = try Trial(reporter, names, secrets(server.url), limit)
                try await body(trial, server)
                trial.checkSecrets(findings)
            }
        }
    }

    /// Sends everything to a receiver that accepts it.
    ///
    /// - Returns: A report for which the reporter sends a request.
    private func checkGoodReceiver(_ findings: Findings) async throws -> Report? {
        var sent: Report?
        try await with(findings, answering: { _ in .text("ok\n") }) { trial, server in
            for report in await trial.reports(findings) {
                let before = server.requests.count
                await trial.expectDelivery(of: report, findings)
                let requests = server.requests[before...]
                guard let request = requests.first else { continue }
                let id = request.header("webhook-id")
                if id != Trial.id {
                    findings.add(
                        .sendsTheDeliveryID,
                        "it is '\(id ?? "missing")', not '\(Trial.id)'; send with the context")
                }
                guard sent == nil else { continue }
                sent = report
                await trial.expectDelivery(of: report, findings)
                let again = server.requests[(before + requests.count)...]
                if requests.map(\.lasting) != again.map(\.lasting) {
                    findings.add(
                        .repeatsTheRequest,
                        Self.difference(requests.map(\.lasting), again.map(\.lasting)))
                }
            }
            if sent == nil {
                findings.add(.doesItsWork, "it sends no request for any sample build")
            }
        }
        return sent
    }

    private static func difference(_ one: [[String]], _ other: [[String]]) -> String {
        guard one.count == other.count else {
            return "\(one.count) requests at first, then \(other.count)"
        }
        let lines = zip(one.joined(), other.joined()).first { $0 != $1 }
        return lines.map { "'\($0)' at first, then '\($1)'" } ?? "the headers differ"
    }

    private func checkBadReceivers(_ report: Report, _ findings: Findings) async throws {
        let receivers: [(name: String, answer: @Sendable (String) -> ServerAnswer)] = [
            ("an answer of 500", { .text($0, status: 500) }),
            ("an answer that breaks off", { .closeHalfway(body: Array($0.utf8), after: 1) }),
            ("a closed connection", { _ in .closeBeforeAnswer }),
        ]
        for (name, answer) in receivers {
            try await with(findings, answering: { answer($0.echo) }) { trial, _ in
                trial.expectRetry(await trial.send(report), after: name, findings)
            }
        }
        try await with(findings, answering: { _ in .closeBeforeAnswer }) { trial, server in
            await server.stop()
            trial.expectRetry(await trial.send(report), after: "a refused connection", findings)
        }
        for status in [400, 401, 404, 410, 422] {
            try await with(findings, answering: { .text($0.echo, status: status) }) { trial, _ in
                switch await trial.send(report) {
                case .success?:
                    findings.add(.throwsWhenRejected, "\(status) counts as delivered")
                case .failure(let error as DeliveryError)? where error.verdict == .nothingToSend:
                    findings.add(.throwsWhenRejected, "\(status) counts as nothing to send")
                case .failure?: break
                case nil:
                    findings.add(
                        .throwsWhenRejected,
                        "after \(status) it had not ended in \(limit.inSeconds)")
                }
            }
        }
        try await checkWait(report, findings)
        try await with(findings, answering: { _ in .hang }) { trial, server in
            let reached = Latch()
            let watch = Task {
                await server.waitForRequests(1)
                reached.open()
            }
            let ends = await Limited.endsWhenCancelled(within: limit, at: reached) {
                try await trial.deliver(report)
            }
            watch.cancel()
            if !ends { findings.add(.endsWhenCancelled, "it still ran after \(limit.inSeconds)") }
        }
    }

    private func checkWait(_ report: Report, _ findings: Findings) async throws {
        try await with(
            findings,
            answering: { .text($0.echo, status: 503, headers: [("Retry-After", "7")]) }
        ) { trial, _ in
            let end = await trial.send(report)
            trial.expectRetry(end, after: "an answer of 503", findings)
            guard case .failure(let error)? = end else { return }
            let verdict = (error as? DeliveryError)?.verdict
            if verdict != .retry(after: .seconds(7)) {
                findings.add(
                    .waitsAsAsked,
                    "after 'Retry-After: 7' it throws \(verdict.map { "\($0)" } ?? "\(error)")")
            }
        }
    }

    /// A reporter and what it has said.
    private final class Trial: Sendable {
        static var id: String { "msg_contract_1_7_0" }

        let reporter: P
        let harness: ReporterHarness
        private let secrets: ContractSecrets
        private let errors = Mutex<[String]>([])
        private let limit: Duration

        init(
            _ reporter: P, _ names: Set<String>, _ given: [String: String], _ limit: Duration
        ) throws {
            self.reporter = reporter
            self.limit = limit
            secrets = ContractSecrets(names, given: given)
            harness = try ReporterHarness(secrets: secrets.values)
        }

        /// The reports of the reporter's own generators for sample builds.
        func reports(_ findings: Findings) async -> [Report] {
            var reports: [Report] = []
            for sample in SampleEvent.builds {
                do {
                    reports += try await harness.reports(
                        of: reporter, for: sample.event, from: sample.source, generators: nil)
                } catch {
                    findings.add(.doesItsWork, "no report of \(sample.name): \(error)")
                }
            }
            return reports
        }

        func deliver(_ report: Report) async throws {
            try await harness.send(report, through: reporter, id: Self.id)
        }

        func send(_ report: Report) async -> Result<Void, any Error>? {
            let end = await Limited.run(within: limit) { try await self.deliver(report) }
            if case .failure(let error)? = end { errors.withLock { $0.append("\(error)") } }
            return end
        }

        func expectDelivery(of report: Report, _ findings: Findings) async {
            let subject = "the report '\(report.subject ?? "")'"
            switch await send(report) {
            case .success?: return
            case .failure(let error as DeliveryError)? where error.verdict == .nothingToSend:
                return
            case .failure(let error)?: findings.add(.doesItsWork, "\(subject) fails: \(error)")
            case nil: findings.add(.doesItsWork, "\(subject) was not sent in \(limit.inSeconds)")
            }
        }

        func expectRetry(
            _ end: Result<Void, any Error>?, after fault: String, _ findings: Findings
        ) {
            switch end {
            case .success?: findings.add(.retriesFailures, "\(fault) counts as delivered")
            case .failure(let error as DeliveryError)?:
                if case .retry = error.verdict { return }
                findings.add(.retriesFailures, "\(fault) is not retried: \(error.verdict)")
            case .failure?: return
            case nil:
                findings.add(
                    .retriesFailures, "after \(fault) it had not ended in \(limit.inSeconds)")
            }
        }

        func checkSecrets(_ findings: Findings) {
            if let text = secrets.leak(in: errors.withLock(\.self) + harness.log.texts) {
                findings.add(.hidesSecrets, "part of a secret is in '\(text)'")
            }
        }
    }
}

extension ReceivedRequest {
    /// What is the same each time: all but the headers of dates and of what depends on them.
    fileprivate var lasting: [String] {
        let dated = ["date", "webhook-timestamp", "webhook-signature"]
        let kept = headers.filter { !dated.contains($0.name.lowercased()) }
        return ["\(method) \(target)"] + kept.map { "\($0.name): \($0.value)" } + [text]
    }

    /// The request as a receiver might quote it in an answer.
    fileprivate var echo: String {
        (["\(method) \(target)"] + headerLines + ["", text]).joined(separator: "\n")
    }
}
