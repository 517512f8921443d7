import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// The values inserted by `!Interpolate` into the URL of a request, as received by the server.
struct InsertedValueTests {
    private static func target(
        _ url: String, branch: JSONValue, secrets: [String: String] = [:]
    ) async throws -> String {
        let run = try await StepRun.of(
            GET.self, "url: !Interpolate \"\(url)\"", properties: ["branch": branch],
            secrets: secrets)
        return try run.request.target
    }

    @Test(arguments: [
        ("fix#12", "/branches/fix%2312/deploy?env=prod"),
        ("a?env=test&x=", "/branches/a%3Fenv=test&x=/deploy?env=prod"),
        ("feature/x", "/branches/feature/x/deploy?env=prod"),
        ("a b", "/branches/a%20b/deploy?env=prod"), ("50%", "/branches/50%25/deploy?env=prod"),
        ("5%zz", "/branches/5%25zz/deploy?env=prod"),
        ("a%20b", "/branches/a%20b/deploy?env=prod"),
        ("bücher", "/branches/b%C3%BCcher/deploy?env=prod"),
        ("a\\b{}|^<>\"`", "/branches/a%5Cb%7B%7D%7C%5E%3C%3E%22%60/deploy?env=prod"),
        ("a\r\nHost: x", "/branches/a%0D%0AHost:%20x/deploy?env=prod"),
        ("v1..v2", "/branches/v1..v2/deploy?env=prod"),
    ])
    func `a value stays in the path`(branch: String, target: String) async throws {
        let url = "SERVER/branches/%(prop:branch)s/deploy?env=prod"
        #expect(try await Self.target(url, branch: .string(branch)) == target)
    }

    @Test(arguments: [
        "feature/../../admin", "..", ".", "a/..", "%2e%2E/x", "./x", "..%2Fx",
        "x%2f.%2E", "a\\..\\b", "..%5cx",
    ])
    func `a value cannot lead to another path`(branch: String) async throws {
        let run = try await StepRun.of(
            GET.self, "url: !Interpolate 'SERVER/branches/%(prop:branch)s/deploy'",
            properties: ["branch": .string(branch)])
        #expect(run.results == .failure)
        #expect(run.requests.isEmpty)
        let log = try #require(run.log("log"))
        #expect(log.contains("which leads to another path; correct the value"))
    }

    @Test func `dots that a value completes to a segment are found, too`() async throws {
        for url in [
            "SERVER/a/.%(prop:branch)s/b", "SERVER/a/%(prop:branch)s.",
            "SERVER/%(prop:branch)s%(prop:branch)s",
        ] {
            let run = try await StepRun.of(
                GET.self, "url: !Interpolate '\(url)'", properties: ["branch": "."])
            #expect(run.results == .failure, "\(url)")
            #expect(run.requests.isEmpty)
        }
    }

    @Test(arguments: [
        ("?ref=%(prop:branch)s&x=1", "a&b+c#d e?f/g", "/?ref=a%26b%2Bc%23d%20e?f/g&x=1"),
        ("?%(prop:branch)s", "a=1&b=2", "/?a=1&b=2"),
        ("?x=1&%(prop:branch)s", "a=1&b=2#c", "/?x=1&a=1&b=2%23c"),
        ("?x=1&ref=%(prop:branch)s", "a&b=2", "/?x=1&ref=a%26b=2"),
        ("?ref=%(prop:branch)s", "50%", "/?ref=50%25"),
        ("?ref=%(prop:branch)s", "../x", "/?ref=../x"),
    ])
    func `a value stays in the query`(url: String, branch: String, target: String) async throws {
        #expect(try await Self.target("SERVER/\(url)", branch: .string(branch)) == target)
    }

    @Test(arguments: [
        ("SERVER/%(prop:branch:urlencode)s", "a/b c%&é", "/a%2Fb%20c%25%26%C3%A9"),
        ("SERVER/%(prop:gone:urlencode:-x/y)s", "", "/x/y"),
        ("SERVER/%(prop:branch:urlencode:-x)s", "a/b", "/a%2Fb"),
        ("SERVER/?x=%(prop:branch:urlencode)s", "~a+b", "/?x=~a%2Bb"),
        ("SERVER/%(prop:branch:#?|yes/%(prop:branch)s|no)s", "a#b", "/yes/a%23b"),
        ("SERVER/x/%(secret:key:urlencode)s", "", "/x/s3cr3t%2Fkey"),
    ])
    func `a value is encoded where the file asks for it`(
        url: String, branch: String, target: String
    ) async throws {
        let secrets = ["key": "s3cr3t/key"]
        let sent = try await Self.target(url, branch: .string(branch), secrets: secrets)
        #expect(sent == target)
    }

    @Test func `a value at the very beginning stays as it is`() async throws {
        for (yaml, target) in [
            ("!Interpolate '%(prop:base)s/x'", "/a?b=c/x"), ("!Property base", "/a?b=c"),
            ("!Interpolate ['%(kw:b)s/x', {b: !Property base}]", "/a?b=c/x"),
            ("!Interpolate ['%s/x', !Property base]", "/a?b=c/x"),
            ("!Property {key: none, default: !Interpolate 'SERVER/%(prop:branch)s'}", "/x%23y"),
            ("!Interpolate ['%(kw:b)s/z', {b: !Interpolate 'SERVER/%(prop:branch)s'}]", "/x%23y/z"),
        ] {
            try await withLoopbackServer(handler: { _ in .text("ok") }) { server in
                let step = try GET.configured(
                    yaml: "url: \(yaml)".replacing("SERVER", with: server.url))
                let harness = try StepHarness(properties: [
                    "base": .string(server.url + "/a?b=c"), "branch": "x#y",
                ])
                #expect(try await harness.run(step) == .success)
                #expect(server.requests.map(\.target) == [target], "\(yaml)")
            }
        }
    }

    @Test(arguments: [
        ("http://%(prop:branch)s/x", "evil.example/y", "has '/' in it"),
        ("http://%(prop:branch)s/x", "evil.example#", "has '#' in it"),
        ("http://%(prop:branch)s/x", "user@evil.example", "has '@' in it"),
        ("http://h%(prop:branch)s", "/x", "has '/' in it"),
        ("http://h:%(prop:branch)s/", "80 ", "has a space or a control character in it"),
    ])
    func `a value cannot leave the host`(
        url: String, branch: String, reason: String
    ) async throws {
        let run = try await StepRun.of(
            GET.self, "url: !Interpolate '\(url)'", properties: ["branch": .string(branch)])
        #expect(run.results == .failure)
        #expect(try #require(run.log("log")).contains(reason))
    }

    @Test func `a host and a port can be inserted`() async throws {
        try await withLoopbackServer(handler: { _ in .text("ok") }) { server in
            let step = try GET.configured(
                yaml: "!Interpolate 'http://%(prop:user)s:%(secret:key)s@%(prop:host)s/x'")
            let harness = try StepHarness(
                properties: ["host": .string("127.0.0.1:\(server.port)"), "user": "a/b@c"],
                secrets: ["key": "p@ss/w?rd#1"])
            #expect(try await harness.run(step) == .success)
            let request = try #require(server.requests.first)
            #expect(request.header("Authorization") == "Basic YS9iQGM6cEBzcy93P3JkIzE=")
        }
    }

    @Test func `a secret in a URL is hidden in the form in which it is sent`() async throws {
        let run = try await StepRun.of(
            GET.self, "!Interpolate 'SERVER/%(secret:key)s?a=%(secret:key)s'",
            secrets: ["key": "s3?cr&et+ke#y 50%"])
        #expect(
            try run.request.target == "/s3%3Fcr&et+ke%23y%2050%25?a=s3?cr%26et%2Bke%23y%2050%25")
        let log = try #require(run.log("log"))
        #expect(log.contains("SERVER/<key>?a=<key>"))
        #expect(!log.contains("s3"))
    }

    @Test func `characters that no URL may have are encoded in the file's own text`() async throws {
        let run = try await StepRun.of(
            GET.self, #"url: 'SERVER/{a}|^\"<>`50%/%zz%41?{b}=%#{c}'"#)
        #expect(
            try run.request.target == "/%7Ba%7D%7C%5E%5C%22%3C%3E%6050%25/%25zz%41?%7Bb%7D=%25")
    }
}
