import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct RequestRetryTests {
    private static let busy = ServerAnswer.text("busy\n", status: 503)

    private static func run(
        _ type: (some Step).Type, _ settings: String, _ answers: [ServerAnswer],
        clock: EagerClock = EagerClock()
    ) async throws -> StepRun {
        try await StepRun.of(
            type, "{url: SERVER/, \(settings)}", clock: clock, answering: StepRun.series(answers))
    }

    @Test func `a request that may be repeated is repeated until it goes well`() async throws {
        let clock = EagerClock()
        let run = try await Self.run(
            GET.self, "retry: 3", [.closeBeforeAnswer, Self.busy, .text("fine\n")], clock: clock)

        #expect(run.results == .success)
        #expect(run.requests.count == 3)
        #expect(clock.sleeps == [.seconds(1), .seconds(2)])
        #expect(run.harness.summaries == ["Status code: 200"])
    }

    @Test func `each try is in the logs`() async throws {
        let run = try await Self.run(
            GET.self, "retry: 3", [.closeBeforeAnswer, Self.busy, .text("fine\n")])

        let log = try #require(run.log("log"))
        let parts = [
            "\neThe request failed: ", "\nhTry 2 of 3 follows in 1 second\n", "\neStatus: 503\n",
            "\nobusy\n", "\nhTry 3 of 3 follows in 2 seconds\n", "\noStatus: 200\n", "\nofine\n",
        ]
        let places = parts.map { log.firstRange(of: $0)?.lowerBound }
        #expect(places.compactMap(\.self) == places.compactMap(\.self).sorted())
        #expect(!places.contains(nil), "\(log)")
        #expect(
            run.harness.logs.filter { $0.name == "content" }.map(\.content)
                == ["obusy\n", "ofine\n"])
    }

    @Test func `without retry there is one try`() async throws {
        let run = try await Self.run(GET.self, "timeout: 9", [Self.busy])
        #expect(run.requests.count == 1)
        #expect(run.results == .failure)
    }

    @Test func `the last try decides`() async throws {
        let run = try await Self.run(
            GET.self, "retry: 2", [Self.busy, .text("gone\n", status: 404)])
        #expect(run.results == .failure)
        #expect(run.requests.count == 2)
        #expect(run.harness.summaries == ["Status code: 404"])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let settings: String
        let answer: ServerAnswer
        let name: String
        let gets: Int
        let posts: Int

        init(_ name: String, _ settings: String, _ answer: ServerAnswer, gets: Int, posts: Int) {
            (self.settings, self.answer, self.name) = (settings, answer, name)
            (self.gets, self.posts) = (gets, posts)
        }

        var testDescription: String { "\(settings): \(name)" }
    }

    /// The number of requests if the first response is one that allows a retry.
    @Test(arguments: [
        Case("closed", "retry: 2", .closeBeforeAnswer, gets: 2, posts: 1),
        Case("reset", "retry: 2", .reset, gets: 2, posts: 1),
        Case("silent", "retry: 2, timeout: 0.2", .hang, gets: 2, posts: 1),
        Case("408", "retry: 2", .respond(status: 408), gets: 2, posts: 1),
        Case("429", "retry: 2", .respond(status: 429), gets: 2, posts: 1),
        Case("500", "retry: 2", .respond(status: 500), gets: 2, posts: 1),
        Case("404", "retry: 2", .respond(status: 404), gets: 1, posts: 1),
        Case("no HTTP", "retry: 2", .raw(Array("SSH\r\n\r\n".utf8)), gets: 1, posts: 1),
        Case("503", "retry: {on: [503]}", .respond(status: 503), gets: 2, posts: 2),
        Case("502", "retry: {on: [503]}", .respond(status: 502), gets: 1, posts: 1),
        Case("502", "retry: {on: 5xx}", .respond(status: 502), gets: 2, posts: 2),
        Case("closed", "retry: {on: 5xx}", .closeBeforeAnswer, gets: 1, posts: 1),
        Case("closed", "retry: {on: closed}", .closeBeforeAnswer, gets: 2, posts: 2),
        Case("silent", "retry: {on: timeout}, timeout: 0.2", .hang, gets: 2, posts: 2),
        Case("404", "retry: {on: failure}", .respond(status: 404), gets: 2, posts: 2),
        Case("closed", "retry: {on: failure}", .closeBeforeAnswer, gets: 2, posts: 2),
        Case("202", "retry: {on: 202}, success: 200", .respond(status: 202), gets: 2, posts: 2),
        Case("200", "retry: {on: failure}", .respond(status: 200), gets: 1, posts: 1),
    ])
    func `what is repeated depends on the method, unless on tells`(_ each: Case) async throws {
        let answers = [each.answer, .text("ok\n")]
        let get = try await Self.run(GET.self, each.settings, answers)
        let post = try await Self.run(POST.self, each.settings, answers)
        #expect(get.requests.count == each.gets)
        #expect(post.requests.count == each.posts)
    }

    @Test(arguments: ["", ", on: refused", ", on: [failure]"])
    func `what surely did not arrive is repeated whatever the method`(_ on: String) async throws {
        let clock = EagerClock()
        let harness = try StepHarness(clock: clock)
        let step = try POST.configured(
            yaml: "{url: 'http://127.0.0.1:1/', retry: {attempts: 4, maxBackoff: 2s\(on)}}")

        #expect(try await harness.run(step) == .failure)
        #expect(clock.sleeps == [.seconds(1), .seconds(2), .seconds(2)])
        #expect(harness.log("log")?.lines.filter { $0.hasPrefix("eThe request") }.count == 4)
    }

    @Test(arguments: [
        ("7", "retry: 2", Duration.seconds(7)),
        ("7", "retry: {attempts: 2, maxBackoff: 3s}", .seconds(3)),
        ("7", "retry: {attempts: 2, backoff: 9s}", .seconds(9)),
        ("99999999999999999999", "retry: 2", .seconds(60)),
        ("soon", "retry: 2", .seconds(1)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "retry: 2", .seconds(1)),
    ])
    func `Retry-After is honoured as far as maxBackoff goes`(
        _ value: String, _ settings: String, _ wait: Duration
    ) async throws {
        let clock = EagerClock()
        let busy = ServerAnswer.respond(status: 503, headers: [("Retry-After", value)])
        _ = try await Self.run(GET.self, settings, [busy, .text("ok\n")], clock: clock)
        #expect(clock.sleeps == [wait])
    }

    @Test func `a step that is stopped does not wait any longer`() async throws {
        try await withLoopbackServer(handler: { _ in Self.busy }) { server in
            let harness = try StepHarness()
            let step = try GET.configured(
                yaml: "{url: '\(server.url)', retry: {attempts: 2, backoff: 1h}}")
            let run = Task { try await harness.run(step) }
            await harness.waitForLine("hTry 2 of 2 follows in 3600 seconds", in: "log")
            run.cancel()

            let outcome = await run.result
            #expect(throws: CancellationError.self) { try outcome.get() }
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a body is sent whole on each try`() async throws {
        let run = try await Self.run(
            PUT.self, "retry: 2, data: {k: v}, files: {f: content}", [Self.busy, .text("ok\n")])
        #expect(run.requests.map(\.body.count).allSatisfy { $0 > 100 })
        #expect(run.requests.count == 2)
    }
}
