import MasterKit
import Testing

struct DeliveryTraceTests {
    @Test func `the last answer is kept`() {
        let trace = DeliveryTrace()
        #expect(trace.receiver == nil && trace.status == nil && trace.responseText == nil)
        trace.note(receiver: "http://h/")
        trace.note(status: 500, responseText: "first")
        trace.note(status: 202, responseText: "second")
        #expect(trace.receiver == "http://h/")
        #expect(trace.status == 202)
        #expect(trace.responseText == "second")
    }

    @Test func `nothing of an earlier request is told of the last one`() {
        let trace = DeliveryTrace()
        trace.note(receiver: "http://h/1")
        trace.note(status: 201, responseText: "created")
        trace.note(receiver: "http://h/2")
        #expect(trace.receiver == "http://h/2")
        #expect(trace.status == nil && trace.responseText == nil && trace.fault == nil)
    }

    @Test func `no more than the beginning of an answer is kept`() {
        let trace = DeliveryTrace()
        trace.note(status: 200, responseText: String(repeating: "x", count: 1_000_000))
        #expect(trace.responseText?.utf8.count == DeliveryTrace.textLimit)
        trace.note(status: 200, responseText: String(repeating: "é", count: 1_000_000) + "x")
        #expect(trace.responseText?.allSatisfy { $0 == "é" } == true)
        trace.note(status: 200, responseText: "x" + String(repeating: "é", count: 1_000_000))
        #expect(trace.responseText?.last == "é")
    }
}
