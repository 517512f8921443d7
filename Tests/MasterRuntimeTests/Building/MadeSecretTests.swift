import MasterKit
import MasterRuntime
import MasterTesting
import Testing

/// Secrets that appear during a build: from templates, responses and commands.
struct MadeSecretTests {
    private static let token = "Zx9-secret-Q7w-value"

    /// Runs a build and searches everything written for texts.
    private func leaks(
        of texts: [String], in yaml: String, plugins: [any Plugin.Type] = [],
        expecting results: Results = .success
    ) async throws -> [String] {
        try await MasterBench.with(yaml, plugins: plugins) { bench in
            let events = try await bench.events()
            let finished = events.filter { $0.kind == .buildFinished }.map { $0.record["results"] }
            #expect(finished == [.int(results.rawValue)])
            let told = events.map { JSONWriter.compact.string(.object($0.record)) }
            var found = texts.filter { text in told.contains { $0.contains(text) } }
            found += texts.filter { text in bench.messages.texts.contains { $0.contains(text) } }
            for path in try bench.filesBelow(bench.basedir) {
                let bytes = try bench.bytes(path)
                found += texts.filter { bytes.firstRange(of: Array($0.utf8)) != nil }
                    .map { "\($0) in \(path)" }
            }
            return found
        }
    }

    @Test func `what a template makes of a secret is written nowhere`() async throws {
        let yaml = """
            secrets: [secrets.Vault]
            steps:
              - steps.SetProperty: {property: t, value: !Secret token}
              - steps.SetProperty: {property: u, value: !Template "{{ properties.t | upper }}"}
              - steps.SetProperty:
                  property: parts
                  value: !Template "{{ properties.t | split:'-' | join:' ' }}"
              - steps.SetProperty: {property: cut, value: !Template "{{ properties.t | truncate:9 }}"}
              - steps.SetProperty: {property: again, value: !Template "{{ properties.u | capitalize }}"}
              - steps.ShellCommand:
                  command: [echo, !Property u, !Property parts, !Property cut, !Property again]
                  description: !Template "saying {{ properties.t | upper }}"
            """
        #expect(
            try await leaks(
                of: ["s3cr3t-value", "S3CR3T", "s3cr3t v", "s3cr3t-", "S3cr3t"], in: yaml,
                plugins: [Vault.self]) == [])
    }

    @Test func `how triggered builds are related is stored without secrets`() async throws {
        let yaml = """
            secrets: [secrets.Vault]
            builders:
              - name: a
                steps: [{steps.Trigger: {builderNames: b, parent_relationship: !Secret token}}]
              - {name: b, triggeredOnly: true, steps: []}
            """
        #expect(try await leaks(of: ["s3cr3t-value"], in: yaml, plugins: [Vault.self]) == [])
    }

    @Test func `output that begins like a secret comes before the end of its command`()
        async throws
    {
        let yaml = """
            secrets: [secrets.Vault]
            steps: [steps.ShellCommand: printf 'done with s3cr']
            """
        try await MasterBench.with(yaml, plugins: [Vault.self]) { bench in
            let log = try bench.log("stdio", of: try await bench.buildOne())
            let end = "\nodone with s3cr\nhprogram finished with exit code 0\n"
            #expect(log.contains(end), "\(log)")
        }
    }

    @Test(arguments: [
        ("{json: /token, secret: true}", ""), ("{header: X-Token, secret: true}", ""),
        ("{json: /token, secret: true}", "/redirect"),
    ])
    func `a secret of an answer is hidden before anything is written`(
        _ place: String, _ path: String
    ) async throws {
        let token = Self.token
        let handler: LoopbackServer.Handler = { request in
            // The response of a receiver before the token is known cannot be hidden.
            if request.path == "/hook" { return .text("taken") }
            if request.path == "/redirect" {
                return .respond(
                    status: 302, headers: [("Location", "/"), ("X-Token", token)],
                    body: Array("go on with \(token)".utf8))
            }
            let body = #"{"token": "\#(token)", "again": "\#(request.target) \#(token)"}"#
            return .respond(
                status: 200, headers: [("X-Token", token)], body: Array(body.utf8))
        }
        try await withLoopbackServer(handler: handler) { server in
            let yaml = """
                services:
                  - reporters.HttpStatusPush: {serverUrl: "\(server.url)/hook", want_steps: true, \
                want_logs: true, want_logs_content: true}
                steps:
                  - steps.POST: {url: "\(server.url)\(path)", extract: {tok: \(place)}}
                  - steps.GET:
                      url: !Interpolate "\(server.url)/use?t=%(prop:tok)s"
                      headers: {Authorization: !Interpolate "Bearer %(prop:tok)s"}
                  - steps.ShellCommand: [echo, !Property tok]
                  - steps.ShellCommand: [echo, !Template "{{ properties.tok | upper }}"]
                """
            let found = try await leaks(of: [token, token.uppercased()], in: yaml)
            #expect(found == [])
            let sent = server.requests
            #expect(sent.contains { $0.target.contains(token) })
            for report in sent where report.path == "/hook" {
                #expect(report.body.firstRange(of: Array(token.utf8)) == nil)
            }
        }
    }

    @Test(arguments: [
        (
            #"{"other": "Zx9-secret-Q7w-value"}"#,
            "there is nothing at /token; the body is a mapping of other"
        ),
        (
            #"{"token": {"other": "Zx9-secret-Q7w-value"}}"#,
            "a secret must be a text or a number, but this is a mapping"
        ),
        (#"{"token": "Zx9-secret-Q7w-value""#, "the body is not valid JSON"),
        (
            #"{"token": "abc", "other": "Zx9-secret-Q7w-value"}"#,
            "the secret 'tok' has only 3 characters"
        ),
    ])
    func `an answer whose secret is not found is not shown`(
        _ body: String, _ reason: String
    ) async throws {
        try await withLoopbackServer(handler: { _ in .text(body) }) { server in
            let yaml = """
                steps:
                  - steps.POST: {url: "\(server.url)", extract: {tok: {json: /token, secret: true}}}
                """
            let found = try await leaks(of: [Self.token], in: yaml, expecting: .failure)
            #expect(found == [])
            try await MasterBench.with(yaml) { bench in
                let log = try bench.log("log", of: try await bench.buildOne())
                #expect(log.contains("The property 'tok' is missing: \(reason)"))
                #expect(log.contains("not shown: 'extract' looks for a secret in it"))
            }
        }
    }

    @Test(arguments: [
        #"{"token": "Zx9-secret-Q7w-value"}"#, #"{"token": "Zx9-secret-Q7w-value", "n": [1]}"#,
    ])
    func `a secret in an answer that is not a success is hidden`(_ body: String) async throws {
        try await withLoopbackServer(handler: { _ in .text(body) }) { server in
            let yaml = """
                steps:
                  - steps.POST:
                      url: "\(server.url)"
                      success: 201
                      extract: {tok: {json: /token, secret: true}}
                """
            let found = try await leaks(of: [Self.token], in: yaml, expecting: .failure)
            #expect(found == [])
        }
    }

    @Test func `a pointer that leads into the secret does not show it`() async throws {
        let body = #"{"token": "Zx9-secret-Q7w-value"}"#
        try await withLoopbackServer(handler: { _ in .text(body) }) { server in
            let yaml = """
                steps:
                  - steps.POST: {url: "\(server.url)", extract: {tok: {json: /token/x, secret: true}}}
                """
            let found = try await leaks(of: [Self.token], in: yaml, expecting: .failure)
            #expect(found == [])
            try await MasterBench.with(yaml) { bench in
                let log = try bench.log("log", of: try await bench.buildOne())
                #expect(log.contains("there is nothing at /token/x; /token is a text"))
            }
        }
    }

    @Test(arguments: [("true", Results.success), ("exit 3", .failure)])
    func `a secret that a command prints is hidden before anything is written`(
        _ end: String, _ results: Results
    ) async throws {
        // Printed in two pieces, so that the command itself does not contain the secret.
        let yaml = """
            steps:
              - steps.SetPropertyFromCommand:
                  property: tok
                  secret: true
                  haltOnFailure: true
                  command: |
                    printf Zx9-secret; printf "%s\\n" -Q7w-value
                    { printf "beside Zx9-secret"; printf "%s\\n" -Q7w-value; } >&2
                    \(end)
              - steps.ShellCommand: [echo, !Property tok]
            """
        #expect(try await leaks(of: [Self.token], in: yaml, expecting: results) == [])
        try await MasterBench.with(yaml) { bench in
            let log = try bench.log("stdio", of: try await bench.buildOne())
            #expect(log.contains("hstandard output is secret and not shown"))
            #expect(log.contains("ebeside <tok>"))
        }
    }

    @Test func `a secret of a command that is too short is refused and not shown`() async throws {
        let yaml = """
            steps:
              - steps.SetPropertyFromCommand:
                  property: tok
                  secret: true
                  command: printf q7; printf w
            """
        #expect(try await leaks(of: ["q7w"], in: yaml, expecting: .failure) == [])
        try await MasterBench.with(yaml) { bench in
            let log = try bench.log("property", of: try await bench.buildOne())
            #expect(log.contains("the secret 'tok' has only 3 characters"))
        }
    }

    @Test(arguments: [
        "serverUrl: !Interpolate 'SERVER/%(prop:tok)s'",
        "{serverUrl: SERVER/, headers: {X-Token: !Property tok}}",
    ])
    func `a report whose address or headers need a secret of the build is not sent`(
        settings: String
    ) async throws {
        try await withLoopbackServer { _ in
            .respond()
        } _: { server in
            let settings = settings.replacing("SERVER", with: server.url)
            let yaml = """
                services:
                  - reporters.HttpStatusPush:
                      \(settings.hasPrefix("{") ? settings : "{\(settings)}")
                steps:
                  - steps.SetPropertyFromCommand:
                      {property: tok, secret: true, command: [printf, "%s%s", Zx9-secret, -Q7w]}
                """
            try await MasterBench.with(yaml) { bench in
                let summary = try await bench.run { master in
                    _ = try await master.build()
                    return try await master.drain(for: .seconds(5))
                }
                let end = summary.deliveries.last
                #expect(end?.state == .dead)
                #expect(end?.error?.contains("holds the secret 'tok'") == true)
                #expect(server.requests.allSatisfy { !"\($0)".contains("<tok>") })
                #expect(server.requests.allSatisfy { !$0.target.contains("tok") })
            }
        }
    }

    @Test func `a secret address is hidden in what a receiver answers`() async throws {
        let handler: LoopbackServer.Handler = { request in
            .respond(status: 404, body: Array("Cannot POST \(request.target)".utf8))
        }
        try await withLoopbackServer(handler: handler) { server in
            let yaml = """
                secrets:
                  - secrets.Command: [sh, -c, "echo \(server.url)/services/T024BE7LD/x8YzAbCd"]
                services:
                  - reporters.HttpStatusPush: {serverUrl: !Secret hook, debug: true}
                steps: [steps.ShellCommand: "true"]
                """
            try await MasterBench.with(yaml) { bench in
                let texts = try await bench.run { master in
                    _ = try await master.build()
                    return try await master.drain(for: .seconds(5)).deliveries.map { "\($0)" }
                }
                #expect(bench.messages.texts.contains { $0.contains("Cannot POST <hook>") })
                for text in texts + bench.messages.texts {
                    #expect(!text.contains("T024BE7LD") && !text.contains("x8YzAbCd"), "\(text)")
                }
                for path in try bench.filesBelow(bench.basedir) {
                    let bytes = try bench.bytes(path)
                    #expect(bytes.firstRange(of: Array("T024BE7LD".utf8)) == nil, "\(path)")
                }
            }
        }
    }
}
