import FoundationEssentials
import MasterKit
import MasterRuntime
import NIOCore
import Testing

@testable import MasterWeb

/// Requests of somebody who wants to break the server, or to learn more than is meant for them.
struct HostileRequestTests {
    private static let addresses = [
        "", "/", "//", "builds/", "builds//steps", "builds/-1", "builds/99999999999999999999",
        "builds/9223372036854775807/steps", "builders/\u{0}", "builders/a\u{0}b/builds",
        "builders/' OR 1=1 --", "builders/one';DROP TABLE build;--/builds", "builders/..",
        "workers/../../etc/passwd", "steps/1/logs/..", "steps/1/logs/%2e%2e/raw",
        "builds?limit=9223372036854775807&offset=9223372036854775807",
        "builds?limit=-9223372036854775808&offset=-5", "builds?limit=1e3", "builds?limit=",
        "builds?order=number;DROP TABLE build", "builds?order=", "builds?order=--number",
        "builds?order=properties", "builders?order=tags", "builds?field=", "builds?field=*",
        "builds?number__contains=1", "builds?state_string__contains=%",
        "builds?state_string__contains=", "builds?state_string=\u{0}'\"",
        "builds?started_at=9223372036854775807", "builds?started_at__le=-9223372036854775808",
        "builds?__=1", "builds?__eq=1", "builds?number__=1", "builds?=1", "builds?&&",
        "builds?complete=null", "builds?complete=", "builds?results=nan", "builds?results=0x1",
        "builds?property=\u{0}&property=*&property=' OR 1", "builds?property=",
        "builders?tags__contains=\u{0}", "builders?masterids__contains=x", "workers?workerinfo=x",
        "workers?connected_to__contains=1", "buildsets?sourcestamps__contains=x",
        "logs/1/contents?offset=9223372036854775807&limit=9223372036854775807",
        "logs/1/contents?offset=-1&limit=-1", "logs/1/raw?zzz=1", "forceschedulers/\u{1F4A9}",
        "codebases/1/commits", "projects/x/codebases/y", "application.spec?path=builders",
        "openapi.json",
    ]

    private static let file = """
        secrets: [secrets.Environment]
        builders:
          - name: one
            steps:
              - steps.ShellCommand: {name: say, command: [echo, !Secret token]}
              - steps.SetProperty: {property: again, value: !Interpolate 'x%(secret:token)s'}
        schedulers:
          - schedulers.ForceScheduler:
              name: force
              builderNames: [one]
              properties: [util.StringParameter: {name: text}]
        """

    @Test func `a connection ends if its request asks for that, or is of HTTP 1 0`() async throws {
        try await withWeb("www: {port: 0}\nsteps: []") { web in
            let lines = [
                "GET /healthz HTTP/1.0", "GET /healthz HTTP/1.0\r\nHost: a",
                "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Close",
                "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: TE, close",
            ]
            for line in lines {
                let answer = try await web.send(line + "\r\n\r\n")
                #expect(answer.status == 200)
                #expect(answer.header("Connection") == "close", "\(line)")
            }
        }
    }

    @Test func `no request makes the server fail`() async throws {
        try await withMaster(Self.file, secrets: ["token": "s3cr3t-value"]) { master, api in
            _ = try await api.call("forceschedulers/force", "force")
            try await master.waitUntil {
                try await api.get("builds?complete=true")["meta"]?["total"] == 1
            }
            var addresses = Self.addresses
            addresses.append(String(repeating: "builds/", count: 5000))
            for name in ["buildid", "buildid__in", "started_at", "state_string__contains"] {
                for count in [150, 4000, 50_000] {
                    addresses.append(
                        "builds?"
                            + Array(repeating: "\(name)=1", count: count)
                            .joined(separator: "&"))
                }
            }
            for address in addresses {
                for method in address.count > 100 ? ["GET"] : ["GET", "HEAD", "PUT", "\u{0}"] {
                    let status = await api.send(method, address).status
                    #expect([200, 400, 404].contains(status), "\(method) \(address.prefix(80))")
                }
            }
            #expect(try await api.get("builds")["meta"]?["total"] == 1)
        }
    }

    @Test func `no call makes the server fail`() async throws {
        let values = [
            "null", "true", "-1", "1e400", "99999999999999999999", #""""#, #""\u0000""#, "[]",
            "{}", "[[1]]", #"{"a":{}}"#, #""' OR 1=1 --""#,
        ]
        try await withMaster(Self.file, secrets: ["token": "s3cr3t-value"]) { _, api in
            for path in [
                "forceschedulers/force", "schedulers/1", "builds/1", "buildrequests/1", "workers/1",
                "builders/one/builds/1",
            ] {
                for method in ["force", "enable", "rebuild", "set_priority", "zzz", "\\u0000"] {
                    for key in ["builderid", "builderNames", "priority", "enabled", "text"] {
                        for value in values {
                            let call =
                                #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":"#
                                + #"{"\#(key)":\#(value)}}"#
                            let answer = await api.post(path, text: call)
                            #expect(answer.status < 500 || answer.status == 501, "\(path) \(call)")
                        }
                    }
                }
            }
            for text in [
                "", "\u{0}", "{", "nul", "[{}]", String(repeating: "[", count: 100_000),
                String(repeating: #"{"a":"#, count: 10_000),
                #"{"jsonrpc":2,"id":1,"method":"x","params":{}}"#,
                #"{"jsonrpc":"2.0","id":[],"method":"x","params":{}}"#,
                #"{"jsonrpc":"2.0","id":1,"method":5,"params":{}}"#,
            ] {
                #expect(await api.post("builds/1", text: text).status == 400)
            }
            _ = try await api.get("builds")
        }
    }

    @Test(arguments: [true, false])
    func `a stream ends with the password that it was opened with, if only users may read`(
        isForUsers: Bool
    ) async throws {
        let yaml = """
            www: {port: 0, auth: {users: {ann: !Secret ann}}, \
            authz: {read: \(isForUsers ? "users" : "anyone")}}
            secrets: [secrets.Environment]
            builders: [{name: one, steps: []}]
            """
        try await withWeb(yaml, secrets: ["ann": "first-word"]) { web in
            try await web.connect().executeThenClose { inbound, outbound in
                let proof = Data("ann:first-word".utf8).base64EncodedString()
                let head = [
                    "GET /sse/listen/builds/*/new HTTP/1.1", "Host: localhost:\(web.port)",
                    "Authorization: Basic \(proof)",
                ]
                try await outbound.write(
                    ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n"))
                var (text, parts) = ("", inbound.makeAsyncIterator())
                while !text.contains("handshake"), let part = try await parts.next() {
                    text += String(buffer: part)
                }
                let (same, _) = try web.configuration(yaml)
                _ = try await web.master.reconfigure(to: same, SecretValues(["ann": "other-word"]))
                try await web.build(reason: "something to tell")
                while !text.contains("event: event") && !text.contains("connect again"),
                    let part = try await parts.next()
                {
                    text += String(buffer: part)
                }
                #expect(text.contains("event: event") == !isForUsers)
                #expect(text.contains("connect again") == isForUsers)
            }
        }
    }

    @Test func `no answer has a secret`() async throws {
        let secret = "s3cr3t-value"
        try await withMaster(Self.file, secrets: ["token": secret]) { master, api in
            _ = try await api.call(
                "forceschedulers/force", "force", ["text": .string(secret), "reason": "x"])
            try await master.waitUntil {
                try await api.get("builds?complete=true")["meta"]?["total"] == 1
            }
            var addresses = [
                "builds?property=*", "buildrequests?property=*", "buildsets", "sourcestamps",
                "builds/1/steps", "builds/1/properties", "builds/1/property_list",
                "buildsets/1/properties", "buildsets/1/properties_list", "forceschedulers",
                "builders", "workers", "schedulers", "masters",
            ]
            let steps = try await api.get("builds/1/steps")["steps"]?.arrayValue ?? []
            #expect(steps.count == 2)
            addresses += ["contents", "raw", "raw_inline"].map {
                "builds/1/steps/say/logs/stdio/\($0)"
            }
            for address in addresses {
                let answer = await api.send("GET", address)
                #expect(answer.status == 200, "\(address)")
                let text = try await answer.wholeText()
                #expect(!text.contains(secret), "\(address)")
                #expect(!text.isEmpty)
            }
            let again = try await api.call("builds/1", "rebuild")
            let copy = try await api.get("buildsets/\(again[0] ?? 0)/properties")
            #expect(copy["properties"]?[0]?["text"]?[0]?.stringValue?.contains("token") == true)
        }
    }
}
