import Foundation
import MasterKit
import MasterTesting
import Testing

/// The contract finds what is wrong with a change source, and the harness shows what it does.
@Suite(.timeLimit(.minutes(2)))
struct ChangeSourceContractTests {
    /// Finds a change a minute, with one fault.
    private struct Minutely: ChangeSource {
        enum Fault: String, SettingEnumeration {
            case none, early, fewer, forgets, hangs, throwing
        }

        static let summary = "Finds a change a minute."
        @Setting("What is wrong with it.", .primary) var fault = Fault.none

        func run(in context: ChangeSourceContext) async throws {
            if fault == .throwing { throw DeliveryError(.reject, "the minute is unknown") }
            let saved = try await context.state()?["count"]?.intValue
            for count in (fault == .forgets ? 1 : saved ?? 1)... {
                if fault == .fewer, count == 2 { return }
                try await context.sleep(for: .seconds(60))
                if fault == .hangs { continue }
                let next: JSONValue = ["count": .int(count + 1)]
                if fault == .early { try await context.save(next) }
                let change = Change(
                    author: "me", comments: "minute \(count)",
                    sourceStamp: SourceStamp(revision: "\(count)"), when: context.now)
                try await context.addChanges([change], saving: next)
            }
        }
    }

    @Test(
        arguments: [
            ("none", nil), ("early", .repeatsRefusedChanges), ("fewer", .doesItsWork),
            ("forgets", .continuesAfterRestart), ("hangs", .doesItsWork),
            ("throwing", .doesItsWork),
        ] as [(String, PluginPromise?)])
    func `what is wrong with a change source is found`(
        _ fault: String, _ promise: PluginPromise?
    ) async throws {
        let contract = ChangeSourceContract(
            Minutely.self, .init(stringLiteral: fault), changes: 3, limit: .seconds(5))
        let broken = try await contract.brokenPromises()
        #expect(broken.first?.promise == promise, "\(broken)")
    }

    @Test func `waits take no time, and a second run is a restart`() async throws {
        let harness = try ChangeSourceHarness()
        let source = try Minutely.configured("none")
        try await harness.run(source, changes: 2)
        try await harness.run(source, waits: 2)
        #expect(harness.changes.map(\.comments) == ["minute 1", "minute 2", "minute 3"])
        #expect(harness.changes.map(\.id) == [1, 2, 3])
        #expect(harness.savedState == ["count": 4])
        #expect(harness.now.timeIntervalSince(harness.start) == 240)
    }
}
