import MasterHTTP
import MasterKit
import Testing

@testable import MasterRuntime

struct DeliveryOutcomeTests {
    private static func outcome(
        _ error: any Error, status: Int? = nil, fault: HTTPError.Code? = nil, number: Int = 1,
        age: Duration = .zero, retry: RetryPolicy? = nil
    ) -> DeliveryOutcome {
        let failed = FailedAttempt(
            error: error, status: status, fault: fault.map { HTTPError($0, "a fault") },
            number: number, age: age)
        return DeliveryOutcome(failed, schedule: RetrySchedule(jitter: 1...1).following(retry))
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

    @Test func `what fails for 75 hours is given up`() {
        let busy = DeliveryError(.retry(after: nil), "busy")
        let hours = Duration.seconds(3600)
        #expect(
            Self.outcome(busy, number: 20, age: hours * 70)
                == .again(after: hours * 4, reason: "busy")
        )
        #expect(
            Self.outcome(busy, number: 21, age: hours * 74)
                == .again(after: hours, reason: "busy")
        )
        #expect(
            Self.outcome(busy, number: 22, age: hours * 75)
                == .dead(reason: "given up after 22 tries: busy")
        )
    }

    @Test func `a policy limits the tries, and then no age does`() {
        let busy = DeliveryError(.retry(after: nil), "busy")
        let policy = RetryPolicy(attempts: 3)
        let year = Duration.seconds(3600 * 24 * 365)
        #expect(
            Self.outcome(busy, number: 2, age: year, retry: policy)
                == .again(after: .seconds(30), reason: "busy")
        )
        #expect(
            Self.outcome(busy, number: 3, retry: policy)
                == .dead(reason: "given up after 3 tries: busy")
        )
        #expect(
            Self.outcome(busy, retry: RetryPolicy(attempts: 1))
                == .dead(reason: "given up after 1 try: busy")
        )
    }

    private static let causes: [(RetryCause, HTTPError.Code?, Int?, Bool)] = [
        (.refused, .refused, nil, true), (.refused, .nameNotFound, nil, true),
        (.refused, .silenceTimeout, nil, false), (.refused, nil, 503, false),
        (.timeout, .totalTimeout, nil, true), (.timeout, .connectTimeout, nil, true),
        (.timeout, .closedEarly, nil, false), (.closed, .closedEarly, nil, true),
        (.closed, .refused, nil, false), (.status(StatusRange(500...599)), nil, 503, true),
        (.status(StatusRange(500...599)), nil, 429, false),
        (.status(StatusRange(500...599)), .refused, nil, false), (.failure, nil, 404, true),
        (.failure, .refused, nil, true), (.exception, .refused, nil, false),
    ]

    @Test(arguments: causes)
    func `only what a policy names is tried again`(
        cause: RetryCause, fault: HTTPError.Code?, status: Int?, isTried: Bool
    ) {
        let outcome = Self.outcome(
            DeliveryError(.retry(after: nil), "no", status: status), status: status, fault: fault,
            retry: RetryPolicy(causes: [cause]))
        let dead = DeliveryOutcome.dead(reason: "no; 'retry' does not name this")
        #expect(outcome == (isTried ? .again(after: .seconds(5), reason: "no") : dead))
    }

    @Test func `an answer that is named is tried again though it is a refusal`() {
        let error = DeliveryError(.reject, "no", status: 400)
        func outcome(_ cause: RetryCause) -> DeliveryOutcome {
            Self.outcome(error, status: 400, retry: RetryPolicy(causes: [cause]))
        }
        let again = outcome(.status(StatusRange(400...400)))
        #expect(again == .again(after: .seconds(5), reason: "no"))
        #expect(outcome(.failure) == .dead(reason: "no"))
    }

    @Test func `an unexpected error is an exception`() {
        func outcome(_ cause: RetryCause) -> DeliveryOutcome {
            Self.outcome(DeliveryFault("oops"), retry: RetryPolicy(causes: [cause]))
        }
        #expect(outcome(.exception) == .again(after: .seconds(5), reason: "oops"))
        #expect(outcome(.failure) == .dead(reason: "oops; 'retry' does not name this"))
    }

    @Test(arguments: [
        (nil, nil, FailureKind.unreachable), (502, nil, .unreachable), (503, nil, .unreachable),
        (503, 5, .unavailable), (429, 5, .unavailable), (429, nil, .unavailable),
        (500, nil, .unavailable),
        (408, nil, .unavailable), (401, nil, .rejected), (302, nil, .rejected),
        (404, nil, .rejected),
    ])
    func `an answer tells what is in the way`(status: Int?, asked: Int?, failureKind: FailureKind) {
        let error = DeliveryError(.retry(after: asked.map { .seconds($0) }), "no", status: status)
        #expect(FailedAttempt(error: error, status: status).failureKind == failureKind)
    }
}
