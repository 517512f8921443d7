import Foundation
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// The contract finds what is wrong with a scheduler, and the harness shows what it does.
@Suite(.timeLimit(.minutes(2)))
struct SchedulerContractTests {
    /// Builds each hour, with one fault.
    private struct Hourly: Scheduler {
        enum Fault: String, SettingEnumeration {
            case none, early, fewer, forgets, hangs, ignoresEnd, repeats, skipsRefused, throwing
        }

        static let summary = "Builds each hour."
        @Setting("What is wrong with it.", .primary) var fault = Fault.none
        var wantedEvents: Set<EventKind> { fault == .ignoresEnd ? [.buildFinished] : [] }

        func run(in context: SchedulerContext) async throws {
            if fault == .hangs { return try await forever(in: context) }
            if fault == .throwing { throw DeliveryError(.reject, "the hour is unknown") }
            let saved = try await context.state()?["count"]?.intValue
            for count in (fault == .forgets ? 1 : saved ?? 1)... {
                if fault == .fewer, count == 2 { return }
                if fault == .ignoresEnd, count == 3 { await rest() }
                let start = Date(timeIntervalSince1970: 1_767_225_600)
                try await context.sleep(until: start.addingTimeInterval(Double(count) * 3600))
                let next: JSONValue = ["count": .int(count + 1)]
                if fault == .skipsRefused || fault == .early { try await context.save(next) }
                let state = fault == .repeats ? nil : next
                try await context.submit(reason: "hour \(count)", saving: state)
                if fault == .repeats { try await context.save(next) }
            }
        }

        /// Waits without building.
        private func forever(in context: SchedulerContext) async throws {
            while true { try await context.sleep(until: context.now.addingTimeInterval(60)) }
        }

        /// Waits without heeding the end of the events.
        private func rest() async {
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                return
            }
        }
    }

    @Test(
        arguments: [
            ("none", nil), ("early", .repeatsRefusedBuilds), ("fewer", .doesItsWork),
            ("forgets", .continuesAfterRestart), ("hangs", .doesItsWork),
            ("ignoresEnd", .endsWithItsEvents), ("repeats", .continuesAfterRestart),
            ("skipsRefused", .repeatsRefusedBuilds), ("throwing", .doesItsWork),
        ] as [(String, PluginPromise?)])
    func `what is wrong with a scheduler is found`(
        _ fault: String, _ promise: PluginPromise?
    ) async throws {
        let isSlow = fault == "ignoresEnd"
        let contract = SchedulerContract(
            Hourly.self, .string(fault), builds: 2, limit: isSlow ? .seconds(1) : .seconds(20))
        let broken = try await contract.brokenPromises().map(\.promise)
        if let promise { #expect(broken.contains(promise)) } else { #expect(broken == []) }
    }

    @Test func `builds have the times at which they were submitted`() async throws {
        let harness = try SchedulerHarness()
        let hourly = try Periodic.configured(["periodicBuildTimer": "1h"])
        try await harness.run(hourly, builds: 2)
        try await harness.run(hourly, builds: 1)
        #expect(
            harness.builds.map { $0.date.timeIntervalSince(harness.start) } == [0, 3600, 7200])
        #expect(harness.savedState?["last_ms"] == .int(1_767_225_600_000 + 7_200_000))
    }

    @Test func `what a scheduler throws, and an endless wait, are errors of the run`() async throws
    {
        await #expect(throws: DeliveryError.self) {
            try await SchedulerHarness().run(try Hourly.configured("throwing"))
        }
        await #expect(throws: SchedulerHarness.EndlessWait.self) {
            try await SchedulerHarness().run(try Hourly.configured("hangs"))
        }
    }
}
