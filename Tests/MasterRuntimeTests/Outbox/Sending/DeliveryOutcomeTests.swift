import MasterKit
import Testing

@testable import MasterRuntime

struct DeliveryOutcomeTests {
    private static func outcome(_ error: any Error) -> DeliveryOutcome {
        DeliveryOutcome(error, attempt: 1, schedule: RetrySchedule(jitter: 1...1))
    }

    @Test func `a verdict decides`() {
        #expect(
            Self.outcome(DeliveryError(.retry(after: .seconds(60)), "busy"))
                == .again(after: .seconds(60), reason: "busy")
        )
        #expect(Self.outcome(DeliveryError(.reject, "no")) == .dead(reason: "no"))
        #expect(Self.outcome(DeliveryError(.endpointGone, "gone")) == .closed(reason: "gone"))
    }

    @Test func `any other error means another try`() {
        let outcome = Self.outcome(DeliveryFault("the disk is on fire"))
        #expect(outcome == .again(after: .seconds(5), reason: "the disk is on fire"))
    }
}
