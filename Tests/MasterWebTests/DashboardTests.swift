import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import Testing

@testable import MasterWeb

/// The pages for people, with texts that would be markup, and `/metrics`.
struct DashboardTests {
    /// Every text of a file or build that a page can show, as markup.
    private static let file = """
        title: <xss-title>
        www: 0
        secrets: [secrets.Environment]
        workers:
          - workers.Local: {name: "<xss-worker>", max_builds: 3}
        services:
          - reporters.HttpStatusPush: {name: "<xss-reporter>", serverUrl: "http://127.0.0.1:1/"}
        builders:
          - name: "<xss-builder>"
            description: <xss-description>
            tags: [<xss-tag>]
            properties: {"<xss-property>": "<xss-value>"}
            steps:
              - steps.ShellCommand:
                  name: "<xss-step>"
                  command: [echo, "<xss-log>", !Secret token]
                  descriptionDone: "<xss-state>"
              - steps.SetProperty: {property: hidden, value: !Interpolate 'x%(secret:token)s'}
        schedulers:
          - schedulers.ForceScheduler:
              name: "<xss-scheduler>"
              label: <xss-label>
              buttonName: <xss-button>
              builderNames: ["<xss-builder>"]
              properties:
                - util.StringParameter: {name: p, label: <xss-parameter>, default: '"><xss-default>'}
                - util.ChoiceStringParameter:
                    {name: c, label: C, choices: ["<xss-choice>"], default: "<xss-choice>"}
        """

    private static let secret = "s3cr3t-value"

    /// Builds twice, with a change, and waits for the failed report.
    private func fill(_ web: Web) async throws {
        let change = try await web.master.addChange(
            Change(
                author: "<xss-author>", committer: "<xss-committer>", comments: "<xss-comments>",
                files: ["<xss-file>"],
                sourceStamp: SourceStamp(
                    branch: "<xss-branch>", revision: "<xss-rev>", repository: "<xss-repository>",
                    project: "<xss-project>", codebase: "<xss-codebase>"),
                revlink: "javascript:'<xss-revlink>'", category: "<xss-category>",
                properties: ["<xss-own>": "<xss-of-change>"], when: .now))
        var request = BuildsetRequest(reason: "<xss-reason>", sourceStamps: [change.sourceStamp])
        request.changes = [change]
        request.properties.set("owner", "<xss-owner>", source: "<xss-source>")
        for _ in 1...2 { _ = try await web.master.wait(for: web.master.submit(request)) }
        while try await web.get("/deliveries").body.contains("connection refused") == false {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The pages that links lead to from the home page.
    private func crawl(_ web: Web) async throws -> [String: String] {
        var (pages, waiting): ([String: String], [String]) = ([:], ["/"])
        while let path = waiting.popLast() {
            guard pages[path] == nil, pages.count < 200 else { continue }
            let answer = try await web.get(path, "Accept: text/html")
            #expect(answer.status == 200, "\(path)")
            pages[path] = answer.body
            for match in answer.body.matches(of: /href="(\/[^"#]*)"/) {
                waiting.append(String(match.1).replacing("&amp;", with: "&"))
            }
        }
        return pages
    }

    @Test(.timeLimit(.minutes(1))) func `no text becomes markup, and no page has a secret`()
        async throws
    {
        try await withWeb(Self.file, secrets: ["token": Self.secret]) { web in
            try await fill(web)
            var pages = try await crawl(web)
            #expect(pages.keys.contains { $0.hasPrefix("/force/") })
            #expect(pages.keys.contains { $0.hasPrefix("/logs/") })
            #expect(pages["/builders/1/builds/2"] != nil)
            #expect(pages["/changes/1"] != nil)
            pages["error"] =
                try await web.get("/builders/%3Cxss-path%3E", "Accept: text/html").body
            pages["login"] =
                try await web.get("/auth/login?redirect=%3Cxss-a%3E", "Accept: text/html").body
            pages["search"] =
                try await web.get("/logs/1?q=%22%3E%3Cxss-search%3E", "Accept: text/html").body
            for (path, page) in pages {
                // The icon and the whole log as text are no pages.
                if page.hasPrefix("<!DOCTYPE html>") {
                    #expect(!page.contains("<xss"), "\(path)")
                    #expect(page.utf8.count < 60_000, "\(path)")
                }
                #expect(!page.contains("javascript:"), "\(path)")
                #expect(!page.contains(Self.secret), "\(path)")
            }
            let all = pages.values.joined()
            for word in [
                "title", "worker", "reporter", "builder", "description", "tag", "property", "value",
                "step", "log", "state", "scheduler", "button", "parameter", "default", "choice",
                "author", "committer", "comments", "file", "branch", "rev", "repository", "project",
                "codebase", "category", "own", "of-change", "reason", "owner", "source", "search",
            ] {
                #expect(all.contains("&lt;xss-\(word)&gt;"), "\(word) is on no page")
            }
            for path in ["/api/v2/builds?property=*", "/config", "/metrics"] {
                let answer = try await web.get(path)
                #expect(answer.header("Content-Type")?.contains("html") != true, "\(path)")
                #expect(!answer.body.contains(Self.secret), "\(path)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a report is sent again or dropped by a button`()
        async throws
    {
        try await withWeb(Self.file, secrets: ["token": Self.secret]) { web in
            try await fill(web)
            let answer = try await web.get("/deliveries")
            let cookie = try #require(answer.cookie)
            let token = try #require(
                answer.body.firstMatch(of: /name="token" value="([0-9a-f]+)"/)?.1)
            let actions = answer.body.matches(of: /action="(\/deliveries\/\d+\/\w+)"/).map(\.1)
            let drops = actions.filter { $0.hasSuffix("/drop") }
            let retry = try #require(actions.first { $0.hasSuffix("/retry") })
            let form = "Content-Type: application/x-www-form-urlencoded"
            for path in [retry, drops[0]] {
                #expect(
                    try await web.post(String(path), "", form, "Cookie: \(cookie)").status == 403)
            }
            let cookies = "Cookie: \(cookie)"
            #expect(
                try await web.post(String(retry), "token=\(token)", form, cookies).status == 303)
            for path in drops {
                let dropped = try await web.post(String(path), "token=\(token)", form, cookies)
                #expect(dropped.status == 303)
            }
            let rest = try await web.get("/deliveries", cookies).body
            #expect(drops.allSatisfy { !rest.contains($0) })
            // Neither is one that does not exist.
            #expect(
                try await web.post("/deliveries/x/drop", "token=\(token)", form, cookies).status
                    == 404)
        }
    }

    // MARK: Metrics

    /// A sample in Prometheus' text format.
    private struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    /// Parses the exposition format as its specification describes it.
    private func parse(_ text: String) throws -> (samples: [Sample], types: [String: String]) {
        var (samples, types, seen): ([Sample], [String: String], [String]) = ([], [:], [])
        #expect(text.hasSuffix("\n"))
        for line in text.split(separator: "\n") {
            if let match = line.wholeMatch(of: /# TYPE ([a-z_:]+) (counter|gauge)/) {
                #expect(types.updateValue(String(match.2), forKey: String(match.1)) == nil)
                continue
            }
            if line.hasPrefix("# HELP ") { continue }
            let match = try #require(
                line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+)/), "\(line)")
            let name = String(match.1)
            #expect(types[name] != nil, "\(line)")
            if seen.last != name {
                #expect(!seen.contains(name), "the samples of \(name) do not stand together")
                seen.append(name)
            }
            var labels: [String: String] = [:]
            var rest = match.3 ?? ""
            while !rest.isEmpty {
                let label = try #require(
                    rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)",?/),
                    "\(line)")
                labels[String(label.1)] = String(label.2).replacing("\\\"", with: "\"")
                    .replacing("\\n", with: "\n").replacing("\\\\", with: "\\")
                rest = rest[label.range.upperBound...]
            }
            samples.append(
                Sample(name: name, labels: labels, value: try #require(Double(match.4))))
        }
        return (samples, types)
    }

    @Test func `metrics are in Prometheus' format, and count what has been done`() async throws {
        let yaml = """
            www: 0
            workers:
              - workers.Local: {name: "the \\"first\\"", max_builds: 3}
            builders:
              - name: 'back\\slash "quoted"'
                steps:
                  - steps.ShellCommand: {command: 'true'}
                  - steps.ShellCommand: {command: 'false', flunkOnFailure: false}
            """
        try await withWeb(yaml) { web in
            try await web.build(reason: "test")
            let answer = try await web.get("/metrics")
            #expect(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
            let (samples, types) = try parse(answer.body)
            func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
                samples.first { $0.name == "buildmaster_\(name)" && $0.labels == labels }?.value
            }
            let worker = ["worker": "the \"first\""]
            let builder = ["builder": "back\\slash \"quoted\""]
            #expect(value("builds_total", ["result": "success"]) == 1)
            #expect(value("builds_running", builder) == 0)
            #expect(value("requests_pending", builder) == 0)
            #expect(value("worker_slots", worker) == 3)
            #expect(value("worker_slots_used", worker) == 0)
            #expect(value("worker_connected", worker) == 1)
            #expect(value("steps_total", ["result": "success"]) == 1)
            #expect(value("steps_total", ["result": "failure"]) == 1)
            #expect(value("step_seconds_total", ["result": "success"]) ?? 0 > 0)
            #expect(value("store_commits_total") ?? 0 > 1)
            #expect(value("store_commit_seconds_total") ?? 0 > 0)
            #expect(value("oldest_request_seconds") == 0)
            #expect(value("oldest_delivery_seconds") == 0)
            #expect(value("deliveries", ["state": "dead"]) == 0)
            for (name, type) in types {
                #expect(name.hasSuffix("_total") == (type == "counter"), "\(name)")
            }
        }
    }
}
