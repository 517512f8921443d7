import MasterKit
import Testing

@testable import MasterRuntime

struct StoredReportTests {
    @Test(arguments: [
        "null", "1.50", "1e400", "\"\\u0000 \\\"quoted\\\" ü 🏗\"",
        #"{"z":1,"a":[true,null,{"b":0.10}],"z2":{}}"#,
        String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
    ])
    func `a JSON body comes back with the same bytes`(text: String) throws {
        let value = try JSONValue(parsing: text)
        let report = Report(
            body: .json(value), subject: "about", results: .warnings, buildIDs: [3, 4])
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

    @Test func `a report comes back with all that it is about`() throws {
        let report = Report(
            body: .empty, subject: "s", results: .failure, buildIDs: [1],
            builds: [["buildid": 1], ["buildid": 2]], buildset: ["bsid": 1], users: ["a", "b"],
            patches: [["level": 1]], logs: [["name": "stdio"]],
            extraInfo: ["chat": ["room": 7]])
        #expect(try Report(stored: report.stored) == report)
    }

    @Test func `what a reporter does not use is not kept`() {
        var report = Report(
            body: .json(1), subject: "s", results: .failure, buildIDs: [1],
            builds: [["buildid": 1]], buildset: ["bsid": 1], users: ["a"], patches: [1],
            logs: [1], extraInfo: ["a": 1])
        report.removeRecords()
        #expect(
            report == Report(body: .json(1), subject: "s", results: .failure, buildIDs: [1]))
    }

    @Test func `a secret is kept in no part of a report`() {
        let mask = SecretValues(["token": "s3cr3t-value"]).mask
        let secret: JSONValue = "is s3cr3t-value"
        let report = Report(
            body: .plain("s3cr3t-value"), subject: "s3cr3t-value", builds: [["a": secret]],
            buildset: ["a": secret], users: ["s3cr3t-value"], patches: [secret], logs: [secret],
            extraInfo: ["a": secret])
        let stored = report.masked(by: mask).value.stored
        #expect(!stored.contains("s3cr3t"))
        #expect(stored.matches(of: /<token>/).count == 8)
    }

    @Test(arguments: ["", "{", "[]", "{}", #"{"text":"without a content type"}"#])
    func `what is no report is said to be none`(text: String) {
        #expect(throws: DeliveryFault.self) { try Report(stored: text) }
    }
}
