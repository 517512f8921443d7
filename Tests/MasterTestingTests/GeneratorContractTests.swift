import MasterKit
import Testing

@testable import MasterTesting

/// The contracts of generators and services find what is broken.
@Suite(.timeLimit(.minutes(2)))
struct GeneratorContractTests {
    private struct Faulty: ReportGenerator {
        enum Fault: String, SettingEnumeration {
            case none, needsSteps, counts, wantsTooMuch, forgetsFilter
        }

        static let summary = "Reports finished builds."
        @Setting("What is wrong with it.", .primary) var fault = Fault.none
        @SettingGroup var filter: BuildFilter
        private let count = Counter()

        var wantedEvents: Set<EventKind> {
            fault == .wantsTooMuch ? [.buildFinished, .logFinished] : [.buildFinished]
        }

        func generate(for event: Event, in context: ReportContext) async throws -> Report? {
            guard event.kind == .buildFinished, fault == .forgetsFilter || filter.admits(event)
            else { return nil }
            if fault == .needsSteps, event.results == .exception {
                throw DeliveryError(.reject, "there are no steps")
            }
            var report = try await context.report()
            if fault == .counts { report.subject = "report \(count.next())" }
            return report
        }
    }

    @Test(
        arguments: [
            ("none", nil), ("needsSteps", .neverThrows), ("counts", .repeatsTheReport),
            ("wantsTooMuch", .usesWantedEvents), ("forgetsFilter", .heedsFilters),
        ] as [(String, PluginPromise?)])
    func `what is wrong with a generator is found`(
        _ fault: String, _ promise: PluginPromise?
    ) async throws {
        let contract = GeneratorContract(Faulty.self, ["fault": .string(fault)])
        #expect(try await contract.brokenPromises().map(\.promise) == [promise].compactMap(\.self))
    }
}

@Suite(.timeLimit(.minutes(2)))
struct ServiceContractTests {
    /// Builds `b` after every second build of `a`.
    private struct Faulty: MasterService {
        enum Fault: String, SettingEnumeration {
            case none, staysAfterEvents, ignoresCancellation, insists, forgets, fails
        }

        static let summary = "Builds after every second build."
        @Setting("What is wrong with it.", .primary) var fault = Fault.none

        let wantedEvents: Set<EventKind> = [.buildFinished]

        func run(in context: ServiceContext) async throws {
            if fault == .ignoresCancellation {
                return try await Task { try await follow(context) }.value
            }
            try await follow(context)
            if fault == .staysAfterEvents { try await context.sleep(for: .seconds(3600)) }
        }

        private func follow(_ context: ServiceContext) async throws {
            if fault == .fails { throw DeliveryError(.reject, "there is no event") }
            var inMemory = 0
            for await notice in context.events {
                guard case .event = notice else { continue }
                let saved = try await context.state()?.intValue ?? 0
                inMemory += 1
                let count = fault == .forgets ? inMemory : saved + 1
                guard count == 2 else {
                    if fault != .forgets { try await context.save(.int(count)) }
                    continue
                }
                inMemory = 0
                try await submit(context)
            }
        }

        private func submit(_ context: ServiceContext) async throws {
            let request = BuildsetRequest(builders: ["b"], reason: "second")
            let state: JSONValue? = fault == .forgets ? nil : 0
            while fault == .insists, !Task.isCancelled {
                do {
                    try await context.submit(request, saving: state)
                    return
                } catch {
                    try await context.sleep(for: .milliseconds(10))
                }
            }
            try await context.submit(request, saving: state)
        }
    }

    @Test(
        arguments: [
            ("none", nil), ("staysAfterEvents", .endsWithItsEvents),
            ("ignoresCancellation", .endsWhenCancelled), ("insists", .survivesFailedSubmits),
            ("forgets", .continuesAfterRestart), ("fails", .doesItsWork),
        ] as [(String, PluginPromise?)])
    func `what is wrong with a service is found`(
        _ fault: String, _ promise: PluginPromise?
    ) async throws {
        let isSlow = ["staysAfterEvents", "ignoresCancellation", "insists"].contains(fault)
        let contract = ServiceContract(
            Faulty.self, .string(fault),
            events: (1...4).map { RecordedBuild(number: $0, builder: "a").finished },
            limit: isSlow ? .seconds(3) : .seconds(60))
        let broken = try await contract.brokenPromises().map(\.promise)
        // With the short limit a busy machine may cause others.
        if isSlow {
            #expect(promise.map(broken.contains) == true)
        } else {
            #expect(broken == [promise].compactMap(\.self))
        }
    }

    /// Submits a build every minute.
    private struct Minutely: MasterService {
        static let summary = "Builds every minute."

        func run(in context: ServiceContext) async throws {
            while true {
                try await context.sleep(for: .seconds(60))
                try await context.submit(BuildsetRequest(reason: "minute"))
            }
        }
    }

    @Test func `a service that wants no events ends when it is cancelled`() async throws {
        try await ServiceContract(Minutely.self).verify()
    }

    @Test func `a service runs beside a test, on its clock, and is shut down`() async throws {
        let clock = ManualClock()
        let harness = try ServiceHarness(clock: clock)
        try await harness.run(Minutely()) { _ in
            for count in 1...3 {
                await clock.waitForSleep()
                #expect(harness.requests.count == count - 1)
                clock.advance(by: .seconds(60))
                await harness.waitForRequests(count)
            }
        }
        #expect(harness.requests.map(\.reason) == ["minute", "minute", "minute"])
    }

    @Test func `a service gets events while it runs, and its state after a restart`() async throws {
        let harness = try ServiceHarness()
        let service = try Faulty.configured()
        for _ in 1...2 {
            try await harness.run(service) { events in
                events.publish(RecordedBuild().started, RecordedBuild().finished)
            }
        }
        #expect(harness.requests.map(\.builders) == [["b"]])
        #expect(harness.savedState == 0)
    }

    @Test func `a service gets the error of a submit that fails`() async throws {
        struct Refusal: Error {}
        let harness = try ServiceHarness(state: 1, accepting: { _ in throw Refusal() })
        await #expect(throws: Refusal.self) {
            try await harness.run(try Faulty.configured(), events: [RecordedBuild().finished])
        }
        #expect(harness.requests.isEmpty)
        #expect(harness.savedState == 1)
    }
}
