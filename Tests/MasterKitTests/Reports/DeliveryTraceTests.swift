import MasterKit
import Testing

struct DeliveryTraceTests {
    @Test func `the last answer is kept`() {
        let trace = DeliveryTrace()
        #expect(trace.receiver == nil && trace.status == nil && trace.answer == nil)
        trace.note(receiver: "http://h/")
        trace.note(status: 500, answer: "first")
        trace.note(status: 202, answer: "second")
        #expect(trace.receiver == "http://h/")
        #expect(trace.status == 202)
        #expect(trace.answer == "second")
    }

    @Test func `no more than the beginning of an answer is kept`() {
        let trace = DeliveryTrace()
        trace.note(status: 200, answer: String(repeating: "x", count: 1_000_000))
        #expect(trace.answer?.utf8.count == DeliveryTrace.answerLimit)
        trace.note(status: 200, answer: String(repeating: "é", count: 1_000_000) + "x")
        #expect(trace.answer?.allSatisfy { $0 == "é" } == true)
        trace.note(status: 200, answer: "x" + String(repeating: "é", count: 1_000_000))
        #expect(trace.answer?.last == "é")
    }
}
