import MasterKit
import Testing

@testable import MasterRuntime

struct StoredReportTests {
    @Test(arguments: [
        "null", "1.50", "1e400", "\"\\u0000 \\\"quoted\\\" ü 🏗\"",
        #"{"z":1,"a":[true,null,{"b":0.10}],"z2":{}}"#,
        String(repeating: "[", count: 500) + String(repeating: "]", count: 500),
    ])
    func `a JSON body comes back with the same bytes`(text: String) throws {
        let value = try JSONValue(parsing: text)
        let report = Report(
            body: .json(value),
            subject: "about",
            results: .warnings,
            buildIDs: [3, 4]
        )
        let read = try Report(stored: report.stored)
        #expect(read == report)
        guard case .json(let again) = read.body else {
            Issue.record("the body is no JSON any more")
            return
        }
        #expect(JSONWriter.compact.bytes(again) == JSONWriter.compact.bytes(value))
    }

    @Test func `a text body comes back with its content type`() throws {
        let report = Report(body: .text("a\0b\n\"c\"", contentType: "text/html"))
        #expect(try Report(stored: report.stored) == report)
    }

    @Test(arguments: ["", "{", "[]", "{}", #"{"text":"without a content type"}"#])
    func `what is no report is said to be none`(text: String) {
        #expect(throws: DeliveryFault.self) { try Report(stored: text) }
    }
}
