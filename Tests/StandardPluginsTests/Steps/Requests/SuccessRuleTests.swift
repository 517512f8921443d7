import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// Which responses are a success, by status and body.
struct SuccessRuleTests {
    @Test(arguments: [
        ("{json: {/ok: true}}", 200, #"{"ok": true}"#, Results.success, "Status code: 200"),
        (
            "{json: {/ok: true}}", 200, #"{"ok": false}"#, .failure,
            "Status code: 200, /ok is false, not true"
        ),
        (
            "{json: {/n: 12345678901234567890124}}", 200, #"{"n": 12345678901234567890123}"#,
            .failure,
            "Status code: 200, /n is 12345678901234567890123, not 12345678901234567890124"
        ),
        (
            "{json: {/ok: true}}", 200, #"{"error": "no"}"#, .failure,
            "Status code: 200, there is nothing at /ok; the body is a mapping of error"
        ),
        (
            "{json: {/ok: true}}", 500, #"{"ok": true}"#, .failure, "Status code: 500"
        ),
        (
            "{status: 500, json: {/n: 1}}", 500, #"{"n": 1.0}"#, .success, "Status code: 500"
        ),
        ("{status: 2xx}", 404, "", .failure, "Status code: 404"),
        ("[200, 404]", 404, "", .success, "Status code: 404"),
        ("{json: {/a: !Property wanted}}", 200, #"{"a": "x"}"#, .success, "Status code: 200"),
    ])
    func `an answer is judged by its status and its body`(
        rule: String, status: Int, body: String, results: Results, summary: String
    ) async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/, success: \(rule)}", properties: ["wanted": "x"]
        ) { _ in .text(body, status: status) }
        #expect(run.results == results)
        #expect(run.harness.summaries.last == summary)
        let isRefused = summary.contains(",")
        #expect(run.log("log")?.contains("The answer is not a success: ") == isRefused)
    }

    @Test func `an answer that is not a success is tried again where the policy says so`()
        async throws
    {
        let run = try await StepRun.of(
            POST.self,
            """
            url: SERVER/
            success: {json: {/ok: true}}
            retry: {attempts: 3, backoff: 1ms, on: failure}
            extract: {id: {json: /id}}
            """,
            answering: StepRun.series([
                .text(#"{"ok": false, "id": 1}"#), .text(#"{"ok": true, "id": 2}"#),
            ]))
        #expect(run.results == .success)
        #expect(run.requests.count == 2)
        #expect(run.harness.properties["id"] == 2)
    }

    @Test(arguments: [
        (
            "{}",
            "'success' of steps.GET is empty; write a status such as 200, 2xx or 200-299, or a "
                + "list of these, or {status: 2xx, json: {/pointer: value}}, or leave it out"
        ),
        ("{json: {}}", "'json' of 'success' of steps.GET must not be empty"),
        ("{json: {ok: true}}", "the JSON pointer 'ok' must begin with '/'; write '/ok'"),
        (
            "{body: x}",
            "'success' of steps.GET has no setting 'body'; there are status, json"
        ),
        (
            "{json: {/ok: true}}, stream: true",
            "a streamed body is not kept, so 'success' can't find JSON in it; remove 'stream'"
        ),
    ])
    func `a malformed rule is found at load`(rule: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try GET.configured(yaml: "{url: 'http://h/', success: \(rule)}")
        }
        #expect(error?.description == message)
    }
}
