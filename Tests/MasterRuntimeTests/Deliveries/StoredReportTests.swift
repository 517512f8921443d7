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
        let read = try Report(stored: report.stored())
        #expect(read == report)
        guard case .json(let again) = read.body else {
            Issue.record("the body is no JSON any more")
            return
        }
        #expect(JSONWriter.compact.bytes(again) == JSONWriter.compact.bytes(value))
    }

    @Test func `a text body comes back with its content type`() throws {
        let report = Report(body: .text("a\0b\n\"c\"", contentType: "text/html"))
        #expect(try Report(stored: report.stored()) == report)
    }

    @Test func `a report comes back with all that it is about`() throws {
        let report = Report(
            body: .empty, subject: "s", results: .failure, buildIDs: [1],
            builds: [["buildid": 1], ["buildid": 2]], buildset: ["bsid": 1], users: ["a", "b"],
            patches: [["level": 1]], logs: [["name": "stdio"]],
            extraInfo: ["chat": ["room": 7]])
        #expect(try Report(stored: report.stored()) == report)
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

    @Test func `where a report goes is known from its beginning`() throws {
        var report = Report(body: .json("text"), subject: "s")
        report.inputs = ["properties": ["revision": "abc"]]
        report.secretMarks = ["mark1": "token"]
        let stored = report.stored(goingTo: "https://h:8443")
        #expect(try Report(stored: stored) == report)
        let beginning = String(stored.prefix(Report.originLimit))
        #expect(Report.origin(ofStored: beginning) == "https://h:8443")
        #expect(Report.origin(ofStored: report.stored()) == "")
    }

    @Test func `a secret of the body is put in when it is sent, and named when it is shown`() throws
    {
        var report = Report(body: .json(["a": "x mark1 y", "mark1": [1, "mark1"]]))
        report.secretMarks = ["mark1": "token"]
        let secrets = SecretValues(["token": "s3cr3t-value"])
        let sent = try report.masked(by: secrets.mask).value.revealed(with: secrets)
        #expect(
            sent.body == .json(["a": "x s3cr3t-value y", "s3cr3t-value": [1, "s3cr3t-value"]]))
        #expect(
            report.withSecretNames.body == .json(["a": "x <token> y", "<token>": [1, "<token>"]]))
        let fault = #expect(throws: DeliveryFault.self) {
            try report.revealed(with: SecretValues())
        }
        #expect(
            fault?.description
                == "the report needs the secret 'token', which master.yaml no longer has")
    }

    @Test func `a secret is kept in no part of a report`() {
        let mask = SecretValues(["token": "s3cr3t-value"]).mask
        let secret: JSONValue = "is s3cr3t-value"
        var report = Report(
            body: .plain("s3cr3t-value"), subject: "s3cr3t-value", builds: [["a": secret]],
            buildset: ["a": secret], users: ["s3cr3t-value"], patches: [secret], logs: [secret],
            extraInfo: ["a": secret])
        report.inputs = ["properties": ["a": secret]]
        let stored = report.masked(by: mask).value.stored()
        #expect(!stored.contains("s3cr3t"))
        #expect(stored.matches(of: /<token>/).count == 9)
    }

    @Test(arguments: ["", "{", "[]", "{}", #"{"text":"without a content type"}"#])
    func `what is no report is said to be none`(text: String) {
        #expect(throws: DeliveryFault.self) { try Report(stored: text) }
    }
}
