import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import Synchronization
import Testing

@testable import MasterWeb

/// The pages that list schedulers and deliveries.
@Suite(.timeLimit(.minutes(1)))
struct DashboardListTests {
    private static let schedulers = """
        www: 0
        builders: [{name: one, steps: []}]
        schedulers:
          - schedulers.Nightly: {name: night, hour: 3, timezone: UTC, builderNames: [one]}
          - schedulers.SingleBranchScheduler:
              {name: "<b>quiet", branch: main, treeStableTimer: 1h, builderNames: [one]}
          - schedulers.AnyBranchScheduler: {name: any, branches: [next], builderNames: [one]}
          - schedulers.Dependent: {name: after, upstream: "<b>quiet", builderNames: [one]}
          - schedulers.Triggerable: {name: called, builderNames: [one]}
          - schedulers.ForceScheduler: {name: force, builderNames: [one]}
        """

    /// What the page says that a scheduler waits for.
    private func wait(of name: String, _ web: Web) async throws -> String {
        let page = try await web.get("/schedulers", "Accept: text/html").body
        let start = "<th scope=\"row\">\(name)</th><td>enabled</td><td>"
        let rest = try #require(page.components(separatedBy: start).dropFirst().first, "\(name)")
        return rest.components(separatedBy: "</td>")[0]
    }

    /// Waits until a scheduler waits for something.
    private func wait(
        of name: String, _ web: Web, until isMet: (String) -> Bool
    ) async throws -> String {
        while true {
            let text = try await wait(of: name, web)
            if isMet(text) { return text }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func `schedulers tell what they wait for, readable without JavaScript`() async throws {
        try await withWeb(Self.schedulers) { web in
            let night = try await wait(of: "night", web) { $0.contains("<time") }
            let time = /its next time, <time datetime="(\S+T03:00:00Z)">(\S+ 03:00:00 UTC)<\/time>/
            let match = try #require(night.wholeMatch(of: time), "\(night)")
            #expect(match.1.prefix(10) == match.2.prefix(10))
            let next = try #require(try? Date(String(match.1), strategy: .iso8601))
            #expect(next.timeIntervalSinceNow < 24 * 3600)
            #expect(try await wait(of: "any", web) == "changes")
            #expect(try await wait(of: "after", web) == "builds of &lt;b&gt;quiet")
            #expect(try await wait(of: "called", web) == "a trigger")
            #expect(try await wait(of: "force", web) == "a person")

            try await web.master.waitForState(of: "schedulers/<b>quiet") { $0 != nil }
            #expect(try await wait(of: "&lt;b&gt;quiet", web) == "changes")
            try await web.master.addChange(
                Change(
                    author: "Ann", comments: "", sourceStamp: SourceStamp(branch: "main"),
                    when: .now))
            let quiet = try await wait(of: "&lt;b&gt;quiet", web) { $0 != "changes" }
            #expect(quiet.hasPrefix("no more changes until <time datetime="), "\(quiet)")
            let status = try await web.master.status()
            let entry = try #require(
                status["schedulers"]?.arrayValue?.first { $0["name"] == "<b>quiet" })
            #expect(entry["waits_for"] == "no more changes")
            let due = try #require(entry["next_at"]?.doubleValue)
            #expect(quiet.contains(WebTime.text(of: due)))
        }
    }

    @Test func `why reports are not delivered is in the status and the metrics`() async throws {
        let yaml = """
            www: 0
            services: [{reporters.HttpStatusPush: {serverUrl: "http://127.0.0.1:1/", name: push}}]
            builders: [{name: one, steps: []}]
            """
        try await withWeb(yaml) { web in
            let metric = #"buildmaster_plugin_problem{kind="reporters",name="push"}"#
            #expect(try await web.get("/metrics").body.contains(metric + " 0\n"))
            _ = try await web.master.submitUnattended(
                BuildsetRequest(builders: ["one"], reason: "test"))
            while true {
                let problem = try await web.master.status()["reporters"]?[0]?["problem"]
                if problem?.stringValue?.hasPrefix("nothing listens at 127.0.0.1:1") == true {
                    break
                }
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await web.get("/metrics").body.contains(metric + " 1\n"))
        }
    }

    @Test func `a repository that can't be reached is shown until it can be`() async throws {
        try await withTemporaryFolder { folder in
            let yaml = """
                www: 0
                change_source:
                  changes.GitPoller: {repourl: "\(folder.path)/app", name: "<app>", pollInterval: 1s}
                builders: [{name: one, steps: []}]
                """
            let metric = #"buildmaster_plugin_problem{kind="change_sources",name="<app>"}"#
            try await withWeb(yaml) { web in
                func page(_ isMet: (String) -> Bool) async throws -> String {
                    while true {
                        let page = try await web.get("/changes", "Accept: text/html").body
                        if isMet(page) { return page }
                        try await Task.sleep(for: .milliseconds(10))
                    }
                }
                let words = "be polled, and is tried again at each interval: git"
                let problem = try await page { $0.contains(words) }
                #expect(problem.contains(#"<span class="badge failure">&lt;app&gt;</span>"#))
                #expect(try await web.get("/metrics").body.contains(metric + " 1\n"))
                let source = "\(folder.path)/source"
                try await runTool(["git", "init", "--quiet", source])
                try await runTool([
                    "git", "-C", source, "-c", "user.name=Ann", "-c", "user.email=ann@example.org",
                    "commit", "--quiet", "--allow-empty", "-m", "one",
                ])
                try await runTool(["mv", source, "\(folder.path)/app"])
                _ = try await page { !$0.contains("polled") }
                #expect(try await web.get("/metrics").body.contains(metric + " 0\n"))
            }
        }
    }

    @Test func `many steps are shown page by page`() async throws {
        let steps = (1...201).map {
            "{steps.SetProperty: {name: step-\($0), property: p, value: x}}"
        }
        let yaml = """
            www: 0
            builders:
              - name: one
                steps: [\(steps.joined(separator: ", "))]
            """
        try await withWeb(yaml) { web in
            try await web.build(reason: "test")
            let first = try await web.get("/builders/1/builds/1").body
            #expect(first.contains("<strong>step-200</strong>"))
            #expect(!first.contains("<strong>step-201"))
            #expect(first.contains("href=\"?offset=200\">Next<"))
            let next = try await web.get("/builders/1/builds/1?offset=200").body
            #expect(next.contains("<strong>step-201</strong>"))
            #expect(!next.contains("<strong>step-200"))
        }
    }

    @Test func `what runs is counted on by the script, what waits has its builder`() async throws {
        let yaml = """
            www: 0
            builders: [{name: one, steps: [steps.ShellCommand: "echo a; sleep 600"]}]
            """
        try await withWeb(yaml) { web in
            for number in 1...2 {
                var request = BuildsetRequest(reason: "test")
                request.properties.set("n", .int(number), source: "Force Build Form")
                _ = try await web.master.submitUnattended(request)
            }
            var page = ""
            while !page.contains("data-count") {
                page = try await web.get("/builders/1/builds/1").body
            }
            #expect(page.contains(/Duration<\/dt><dd><span data-seconds="\d+">/))
            #expect(page.contains(/<span data-count="1">\d lines<\/span>/))
            #expect(try await web.get("/logs/1").body.contains("<span data-count=\"1\">"))
            let builder = try await web.get("/builders/1").body
            #expect(builder.contains("<td><a href=\"/builders/1\">one</a></td>"))
            await web.master.stop(request: 1, reason: "enough")
        }
    }

    @Test func `a scheduler is disabled and enabled by a button`() async throws {
        try await withWeb(Self.schedulers) { web in
            let form = "Content-Type: application/x-www-form-urlencoded"
            var cookie = ""
            for (action, state) in [("disable", "disabled"), ("enable", "enabled")] {
                let page = try await web.get("/schedulers", "Cookie: \(cookie)")
                cookie = page.cookie ?? cookie
                let token = try #require(
                    page.body.firstMatch(of: /name="token" value="([0-9a-f]+)"/)?.1)
                let row = try #require(page.body.components(separatedBy: ">any</th>").last)
                let path = try #require(row.firstMatch(of: /action="(\/schedulers\/\d+\/\w+)"/)?.1)
                #expect(path.hasSuffix("/\(action)"))
                let answer = try await web.post(
                    String(path), "token=\(token)", form, "Cookie: \(cookie)")
                #expect(answer.status == 303)
                #expect(
                    try await web.get("/schedulers").body.contains(">any</th><td>\(state)</td>"))
                let unknown = try await web.post(
                    "/schedulers/99/\(action)", "token=\(token)", form, "Cookie: \(cookie)")
                #expect(unknown.status == 404)
            }
        }
    }

    @Test func `a triggered build and the one that triggered it lead to each other`() async throws {
        let yaml = """
            www: 0
            builders:
              - {name: one, steps: [steps.Trigger: {builderNames: two, waitForFinish: true}]}
              - {name: two, triggeredOnly: true, steps: []}
            """
        try await withWeb(yaml) { web in
            try await web.build(reason: "test")
            // The address in the configuration, which does not know the port.
            let url = "http://localhost:0/#/builders/2/builds/1"
            let steps = try await web.get("/api/v2/builds/1/steps", "Accept: application/json").body
            let links = try JSONValue(parsing: steps)["steps"]?[0]?["urls"]
            #expect(links == [["name": "two (request 2)", "url": .string(url)]])
            #expect(
                try await web.get("/builders/1/builds/1").body.contains("two (request 2)</a>"))
            let triggered = try await web.get("/builders/2/builds/1").body
            #expect(triggered.contains(#"<a href="/builds/1">triggered by one #1</a>"#))
        }
    }

    @Test func `many requests are shown page by page`() async throws {
        let yaml = """
            www: 0
            builders: [{name: one, steps: []}]
            """
        try await withWeb(yaml) { web in
            try await web.master.pause(worker: "local", reason: "test")
            for number in 1...51 {
                var request = BuildsetRequest(reason: "test")
                request.properties.set("n", .int(number), source: "Force Build Form")
                _ = try await web.master.submitUnattended(request)
            }
            let first = try await web.get("/requests").body
            #expect(first.contains("/requests/50/cancel"))
            #expect(!first.contains("/requests/51/cancel"))
            #expect(first.contains("href=\"?offset=50\">Next<"))
            let next = try await web.get("/requests?offset=50").body
            #expect(next.contains("/requests/51/cancel"))
            #expect(!next.contains("/requests/50/cancel"))
            let builder = try await web.get("/builders/1").body
            #expect(builder.contains("These are the first 50 requests."))
            // The home page counts all of them.
            #expect(try await web.get("/").body.contains("<td>51</td>"))
        }
    }

    @Test func `many workers are shown page by page`() async throws {
        let workers = (101...201).map {
            "  - workers.Worker: {name: w\($0), password: !Secret word}"
        }
        let yaml = """
            www: 0
            protocols: {msgpack: 0}
            secrets: [secrets.Environment]
            workers:
            \(workers.joined(separator: "\n"))
            builders: [{name: one, steps: []}]
            """
        try await withWeb(yaml, secrets: ["word": "wonderland-7"]) { web in
            let first = try await web.get("/workers").body
            #expect(first.contains("w200") && !first.contains("w201"))
            #expect(first.contains("href=\"?offset=100\">Next<"))
            let next = try await web.get("/workers?offset=100").body
            #expect(next.contains("w201") && !next.contains("w200"))
        }
    }

    @Test func `a worker tells why it is paused, and open pages are told`() async throws {
        try await withWeb("www: 0\nbuilders: [{name: one, steps: []}]") { web in
            let page = try await web.get("/workers")
            let cookie = "Cookie: \(try #require(page.cookie))"
            let token = try #require(
                page.body.firstMatch(of: /name="token" value="([0-9a-f]+)"/)?.1)
            let form = "Content-Type: application/x-www-form-urlencoded"
            try await web.webSocket { socket in
                try await socket.send(#"{"cmd":"startConsuming","path":"workers/*/*","_id":1}"#)
                _ = try await socket.receive()
                let path = try #require(page.body.firstMatch(of: /action="(.*?\/pause)"/)?.1)
                let answer = try await web.post(String(path), "token=\(token)", form, cookie)
                #expect(answer.status == 303)
                let message = try JSONValue(parsing: try #require(try await socket.receive()))
                #expect(message["k"]?.stringValue?.hasSuffix("/state_updated") == true)
                #expect(message["m"]?["pause_reason"] == "on the web page")
                // Buildbot's page shows what it has been told, and needs all of it.
                let worker = try await web.get("/api/v2/workers", "Accept: application/json").body
                #expect(message["m"] == (try JSONValue(parsing: worker)["workers"]?[0]))
            }
            #expect(try await web.get("/workers").body.contains("paused</span> on the web page"))
        }
    }

    @Test func `a closed endpoint is listed, and resumed by a button`() async throws {
        let isGone = Mutex(true)
        try await withLoopbackServer { _ in
            isGone.withLock { $0 } ? .text("gone", status: 410) : .text("ok")
        } _: { server in
            let yaml = """
                www: 0
                services:
                  - reporters.HttpStatusPush: {name: "a/<b>", serverUrl: "\(server.url)/"}
                builders: [{name: one, steps: []}]
                """
            try await withWeb(yaml) { web in
                try await web.build(reason: "test")
                var page = try await web.get("/deliveries")
                while !page.body.contains("Closed endpoints") {
                    try await Task.sleep(for: .milliseconds(5))
                    page = try await web.get("/deliveries")
                }
                #expect(page.body.contains("a/&lt;b&gt;"))
                #expect(!page.body.contains("<b>"))
                let path = "/deliveries/a%2F%3Cb%3E/resume"
                #expect(page.body.contains("action=\"\(path)\""))
                let cookie = "Cookie: \(try #require(page.cookie))"
                let form = "Content-Type: application/x-www-form-urlencoded"
                let token = try #require(
                    page.body.firstMatch(of: /name="token" value="([0-9a-f]+)"/)?.1)
                #expect(try await web.post(path, "", form, cookie).status == 403)
                let unknown = try await web.post(
                    "/deliveries/b/resume", "token=\(token)", form, cookie)
                #expect(unknown.status == 404)
                isGone.withLock { $0 = false }
                #expect(try await web.post(path, "token=\(token)", form, cookie).status == 303)
                while try await web.get("/deliveries").body.contains(
                    "Every report has been delivered.") == false
                {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(try await web.get("/deliveries").body.contains("Closed") == false)
            }
        }
    }
}
