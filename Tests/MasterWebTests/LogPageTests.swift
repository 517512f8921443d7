import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import Testing

@testable import MasterWeb

/// The page of a log.
@Suite(.timeLimit(.minutes(1)))
struct LogPageTests {
    @Test func `a search tells which lines it has looked at, and goes on`() async throws {
        let yaml = """
            www: 0
            builders:
              - name: one
                steps: [steps.ShellCommand: "seq 1 210000"]
            """
        try await withWeb(yaml) { web in
            try await web.build(reason: "test")
            // Three lines say what is run, and two how it has ended.
            let many = try await web.get("/logs/1?q=7").body
            #expect(many.contains("100 lines contain “7” in lines 1 to "))
            let next = try #require(
                many.firstMatch(of: /href="(\/logs\/1\?q=7&amp;from=(\d+))">Search on</))
            let rest = try await web.get(String(next.1).replacing("&amp;", with: "&")).body
            let first = try #require(Int(next.2)) + 1
            #expect(rest.contains("100 lines contain “7” in lines \(first) to "))
            let late = try await web.get("/logs/1?q=209999").body
            #expect(late.contains("No line contains “209999” in lines 1 to 200000."))
            let found = try await web.get("/logs/1?q=209999&from=200000").body
            #expect(found.contains("1 line contains “209999” in lines 200001 to 210005."))
            #expect(!found.contains("Search on"))
            let beyond = try await web.get("/logs/1?q=7&from=\(Int.max)").body
            #expect(beyond.contains("No line contains “7” after line 210005."))
            let all = try await web.get("/logs/1?q=nothing&from=0").body
            #expect(all.contains("Search on"))
        }
    }

    @Test func `the page of a build has the last lines of its failed steps`() async throws {
        let yaml = #"""
            www: 0
            builders:
              - name: one
                steps:
                  - steps.ShellCommand: {name: fine, command: echo well}
                  - steps.ShellCommand: {name: hidden, command: 'echo ill; exit 1', hideStepIf: true}
                  - steps.ShellCommand: >-
                      seq 101 150; printf '<b>\033[31mred\n'; exit 1
                  - steps.ShellCommand: {name: silent, command: exit 1}
                  - steps.Assert: !Equal [a, b]
            """#
        try await withWeb(yaml) { web in
            try await web.build(reason: "test")
            let page = try await web.get("/builders/1/builds/1").body
            let excerpt = try #require(
                page.firstMatch(of: #/<pre class="log excerpt".*?<\/pre>/#.dotMatchesNewlines()))
            let text = excerpt.0
            #expect(text.contains(#"aria-label="The end of stdio""#))
            #expect(text.contains("<span>142\n</span>") && !text.contains("141"))
            #expect(text.contains(#"&lt;b&gt;<span class="text1">red</span>"#))
            #expect(!text.contains("exit code"))
            #expect(!page.contains("well\n") && !page.contains("ill\n"))
            #expect(page.matches(of: /log excerpt/).count == 1)
        }
    }

    @Test func `of long lines, the page of a log has the last ones`() async throws {
        let yaml = """
            www: 0
            builders:
              - name: one
                steps:
                  - steps.ShellCommand: >-
                      for i in $(seq 100 399); do printf 'line %d %0990d.\\n' $i 0; done
            """
        try await withWeb(yaml) { web in
            try await web.build(reason: "test")
            let page = try await web.get("/logs/1").body
            #expect(page.contains("line 399 ") && page.contains("program finished"))
            #expect(!page.contains("line 350 "))
            let earlier = try #require(page.firstMatch(of: #/\?from=(\d+)">Earlier/#))
            let before = try await web.get("/logs/1?from=\(earlier.1)").body
            let shown = before.matches(of: #/line (\d+) /#).compactMap { Int($0.1) }
            #expect(shown.count > 30)
            let later = try #require(before.firstMatch(of: #/\?from=(\d+)">Later/#))
            let after = try await web.get("/logs/1?from=\(later.1)").body
            let next = try #require(after.firstMatch(of: #/line (\d+) /#))
            #expect(Int(next.1) == shown.last.map { $0 + 1 })
        }
    }

    @Test func `of lines that are too long to be read at once, the last ones are shown`()
        async throws
    {
        let yaml = """
            www: 0
            builders:
              - name: one
                steps:
                  - steps.ShellCommand: >-
                      for i in $(seq 100 199); do printf 'line %d %0100000d\\n' $i 0; done; exit 1
            """
        try await withWeb(yaml) { web in
            try await web.build(reason: "test")
            let page = try await web.get("/logs/1").body
            #expect(page.contains("line 199 ") && page.contains("program finished"))
            #expect(try await web.get("/builders/1/builds/1").body.contains("line 199 "))
        }
    }

    @Test func `lines that end as on Windows are lines`() async throws {
        let yaml = #"""
            www: 0
            builders:
              - name: one
                steps: [steps.ShellCommand: "printf 'one\r\ntwo\r\nthree\n'; echo er\r >&2"]
            """#
        try await withWeb(yaml) { web in
            try await web.master.addChange(
                Change(
                    author: "Ann", comments: "title\r\nthe rest", sourceStamp: SourceStamp(),
                    when: .now))
            try await web.build(reason: "test")
            let page = try await web.get("/logs/1").body
            for line in ["one\n", "two\n", "three\n"] {
                #expect(page.contains("<span>\(line)</span>"), "\(page)")
            }
            let found = try await web.get("/logs/1?q=T").body
            #expect(found.contains(">8</a> two\n</span>"), "\(found)")
            #expect(found.contains(">9</a> three\n</span>"))
            let changes = try await web.get("/changes").body
            #expect(changes.contains("title<"))
            #expect(!changes.contains("the rest"))
        }
    }
}
