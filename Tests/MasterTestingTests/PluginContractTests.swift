import MasterKit
import Synchronization
import Testing

@testable import MasterTesting

/// Contracts find what is broken about plugins of any kind.
@Suite(.timeLimit(.minutes(2)))
struct PluginContractTests {
    private struct Fine: SilentFormatter {
        static let summary = "Formats nothing."
        @Setting("How much.", .primary) var amount = 1
    }

    @Test func `a sound plugin breaks no promise`() async throws {
        try await PluginContract(Fine.self, 3).verify()
    }

    private struct Terse: SilentFormatter {
        static let summary = "nothing"
    }

    @Test func `a summary that is not a sentence is found`() async throws {
        let broken = try await PluginContract(Terse.self).brokenPromises()
        #expect(
            broken.map(\.description) == [
                "its summary is one sentence: 'nothing' is not a line that ends with a full stop"
            ])
    }

    private struct Unexplained: SilentFormatter {
        static let summary = "Formats nothing."
        @Setting(" ") var amount = 1
    }

    @Test func `a setting without a summary is found`() async throws {
        let broken = try await PluginContract(Unexplained.self).brokenPromises()
        #expect(
            broken == [BrokenPromise(promise: .settingsHaveSummaries, finding: "'amount' has none")]
        )
    }

    private struct Fickle: SilentFormatter {
        private static let count = Atomic(0)
        static let summary = "Formats nothing."
        @Setting("How much.", .alias("size\(count.add(1, ordering: .relaxed).newValue)"))
        var amount = 1
    }

    @Test func `settings that differ each time are found`() async throws {
        let broken = try await PluginContract(Fickle.self).brokenPromises()
        #expect(broken.map(\.promise) == [.settingsStayTheSame])
    }

    private struct Doubled: SilentFormatter {
        static let summary = "Formats nothing."
        @Setting("How much.") var amount = 1
        @Setting("How many.", .alias("amount")) var number = 1
    }

    private struct Colliding: Step {
        static let summary = "Does nothing."
        @Setting("Something else.", .alias("flunkOnFailure")) var flunks = true
        func run(in context: StepContext) async throws -> Results { .success }
    }

    @Test func `names that settings share with others are found`() async throws {
        let doubled = try await PluginContract(Doubled.self).brokenPromises()
        #expect(doubled.map(\.promise) == [.settingNamesAreUnique])
        let colliding = try await StepContract(Colliding.self).brokenPromises()
        #expect(
            colliding.map(\.finding) == [
                "'flunkOnFailure' is also an option of all steps; rename it, or declare it with "
                    + ".replacesOption"
            ])
    }

    private struct Unstartable: SilentFormatter {
        static let summary = "Formats nothing."
        func start() async throws { throw DeliveryError(.reject, "the port is taken") }
    }

    @Test func `a plugin that does not start is found`() async throws {
        let broken = try await PluginContract(Unstartable.self).brokenPromises()
        #expect(broken == [BrokenPromise(promise: .starts, finding: "the port is taken")])
    }

    /// Waits in `stop` for something that only `start` causes.
    private struct Waiting: SilentFormatter {
        static let summary = "Formats nothing."
        @Setting("Whether it may be stopped only once.") var once = false
        private let started = Latch()

        func start() async throws { started.open() }
        func stop() async { await started.wait() }
    }

    @Test func `a stop that needs a start is found`() async throws {
        let subject = ContractSubject<Waiting>(
            [:], plugins: [], scope: .service, limit: .seconds(2))
        let findings = Findings()
        try await subject.withPlugin(findings) { _, _ in }
        #expect(
            findings.sorted.map(\.finding).contains(
                "the first stop without a start took more than 2 seconds"))
    }

    @Test func `wrong settings are errors of the test`() async throws {
        await #expect(throws: ConfigurationError.self) {
            try await PluginContract(Fine.self, ["amuont": 3]).verify()
        }
    }

    @Test func `the error lists every broken promise, but for exceptions`() async throws {
        struct Bad: Step {
            static let summary = "bad"
            @Setting("") var name: String?
            func run(in context: StepContext) async throws -> Results { .success }
        }
        let error = await #expect(throws: BrokenPromises.self) {
            try await StepContract(Bad.self).verify(except: [.summaryIsASentence])
        }
        #expect(
            error?.description == """
                steps.Bad breaks what plugins promise:
                - every setting has a summary: 'name' has none
                - no two settings share a name, also with common options: 'name' is also an option \
                of all steps; rename it, or declare it with .replacesOption
                """)
    }

    // MARK: Providers of secrets

    private struct Provider: SecretProvider {
        enum Fault: String, SettingEnumeration {
            case none, changes, forgets, invents
        }

        static let summary = "Knows one secret."
        @Setting("What is wrong with it.", .primary) var fault = Fault.none
        private let count = Counter()

        func value(of name: String, in context: SecretContext) async throws -> String? {
            guard name == "token" else { return fault == .invents ? "a-default" : nil }
            return switch fault {
            case .changes: "value \(count.next())"
            case .forgets: nil
            case .none, .invents: "s3cr3t-value"
            }
        }
    }

    @Test(
        arguments: [
            ("none", nil), ("changes", .knowsItsSecret), ("forgets", .knowsItsSecret),
            ("invents", .deniesUnknownSecrets),
        ] as [(String, PluginPromise?)])
    func `what is wrong with a provider of secrets is found`(
        _ fault: String, _ promise: PluginPromise?
    ) async throws {
        let contract = SecretContract(Provider.self, .string(fault), knowing: "token")
        #expect(try await contract.brokenPromises().map(\.promise) == [promise].compactMap(\.self))
    }
}

/// A formatter that formats nothing.
private protocol SilentFormatter: MessageFormatter {}

extension SilentFormatter {
    func format(_ topic: ReportTopic) -> Message { Message(.empty) }
}

/// Counts.
final class Counter: Sendable {
    private let count = Mutex(0)

    /// 1, then 2, and so on.
    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
