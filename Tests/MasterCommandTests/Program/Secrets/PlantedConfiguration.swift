/// A master.yaml that uses the secret `key` wherever possible.
struct PlantedConfiguration {
    let server: String
    let secret: PlantedSecret

    /// The file; each step that is meant to fail has its own builder.
    var text: String {
        let wrong = mistakes.enumerated().map { index, step in
            "  - {name: wrong-\(index), steps: [\(step)]}"
        }
        return """
            secrets:
              - secrets.File: vault
            services:
            \(reporter("Open", path: "/hook", details: true))
            \(reporter("Refused", path: "/refuse/hook", details: false))
              - reporters.HttpStatusPush:
                  name: Unreachable
                  serverUrl: !Interpolate "http://user:%(secret:key)s@127.0.0.1:1/%(secret:key)s"
                  debug: true
            builders:
            \(wrong.joined(separator: "\n"))
              - name: commands
                steps:
            \(indented(commands))
              - name: requests
                steps:
            \(indented(requests))
            """
    }

    private func indented(_ steps: [String]) -> String {
        steps.map { "      - \($0)" }.joined(separator: "\n")
    }

    private func reporter(_ name: String, path: String, details: Bool) -> String {
        let query = secret.isWord ? "?key=%(secret:key)s" : ""
        return """
              - reporters.HttpStatusPush:
                  name: \(name)
                  serverUrl: !Interpolate "\(server)\(path)\(query)"
                  headers: {X-Hook: \(header)}
                  auth: [user, \(header)]
                  debug: \(details)
                  want_steps: \(details)
                  want_logs: \(details)
                  want_logs_content: \(details)
            """
    }

    /// The secret if it is allowed in a header, or else something harmless.
    private var header: String { secret.isOneLine ? "!Secret key" : "harmless" }

    private var cookie: String { secret.value.contains(";") ? "harmless" : header }

    private var commands: [String] {
        let line = secret.isOneLine ? "echo %(secret:key)s" : "echo '%(secret:key)s'"
        return [
            "steps.ShellCommand: {command: [echo, !Secret key], env: {KEY: !Secret key}}",
            """
            steps.ShellCommand: {command: !Interpolate "\(line)", description: !Secret key, \
            descriptionDone: [said, !Secret key], descriptionSuffix: !Secret key}
            """,
            """
            steps.ShellCommand: {name: !Secret key, env: {KEY: !Interpolate "x %(secret:key)s y"}, \
            command: 'env; set -x; : "$KEY"; printf %s "$KEY" | base64; bash -c ''printf %q "$KEY"'''}
            """,
            """
            steps.ShellCommand: {command: [python3, -c, "\(Self.program)"], env: {KEY: !Secret key}}
            """,
            """
            steps.SetPropertyFromCommand: {command: [printenv, KEY], env: {KEY: !Secret key}, \
            property: !Interpolate "printed %(secret:key)s"}
            """,
            """
            steps.SetProperty: {property: copy, value: [!Secret key, {!Secret key: !Secret key}]}
            """,
            """
            steps.ShellCommand: [echo, !Property given, !Template "{{ properties.copy|json }}"]
            """,
            "steps.ShellCommand: [echo, !Interpolate '%(src::branch)s %(src::repository)s']",
        ]
    }

    /// Prints the secret in many encodings, and byte by byte.
    private static let program = [
        "import base64, html, json, os, sys, urllib.parse as u", "k = os.environ['KEY']",
        "b = k.encode()", "print(json.dumps(k), json.dumps(k, ensure_ascii=False), repr(k))",
        "print(json.dumps(json.dumps({'k': k})))",
        "print(u.quote(k), u.quote_plus(k), u.quote(k, ''))",
        "print(html.escape(k), b.hex(), b.hex().upper())",
        "print(base64.b64encode(b), base64.b64encode(b'user:' + b), base64.urlsafe_b64encode(b))",
        "[os.write(1, b[i:i + 1]) for i in range(len(b))]", "raise ValueError(k)",
    ].joined(separator: "\\n")

    private var mistakes: [String] {
        let commands = [
            "workdir: !Secret key", "env: {!Secret key: 1}", "decodeRC: !Secret key",
            "timeout: !Secret key", "maxTime: !Secret key", "doStepIf: !OneOf [a, !Secret key]",
        ].map { "steps.ShellCommand: {command: pwd, \($0)}" }
        let requests = [
            "headers: {!Secret key: x}", "headers: {X-A: !Secret key}", "cookies: {c: !Secret key}",
            "cookies: {!Secret key: c}", "auth: {bearer: !Secret key}", "verify: !Secret key",
            "timeout: !Secret key", "files: {f: {path: !Secret key}}",
            "files: {f: {content: a, filename: !Secret key}}",
            "proxies: {all: !Secret key}",
            #"proxies: {all: !Interpolate "http://user:%(secret:key)s@127.0.0.1:1"}"#,
        ].map { "steps.POST: {url: '\(server)/echo', \($0)}" }
        let others = [
            "steps.ShellCommand: [!Secret key, !Secret key]",
            """
            steps.SetProperty: {property: p, value: {!Secret key: 1, !Interpolate "%(secret:key)s": 2}}
            """,
            "steps.SetProperty: {property: p, value: !Matches [!Secret key, x]}",
            "steps.POST: {url: !Secret key}",
            #"steps.POST: !Interpolate "\#(server)/%(secret:key)s:port:%(secret:key)s""#,
            #"steps.POST: !Interpolate "http://%(secret:key)s:x/""#,
            "steps.POST: {url: 'https://127.0.0.1:1/', cert: !Secret key}",
        ]
        return commands + requests + others
    }

    private var requests: [String] {
        let path = secret.isWord ? "/%(secret:key)s?direct=%(secret:key)s" : "?direct"
        return [
            """
            steps.POST: {url: !Interpolate "\(server)/echo\(path)", \
            params: {p: !Secret key, q: [1, !Secret key], !Secret key: x}, \
            data: {d: !Secret key, !Secret key: x, e: !Interpolate "<%(secret:key)s>"}, \
            headers: {X-A: \(header), X-B: \(header)}, cookies: {c: \(cookie)}, \
            auth: [user, \(header)]}
            """,
            """
            steps.POST: {url: '\(server)/echo', auth: {bearer: \(header)}, \
            json: {j: [!Secret key], !Secret key: 1, k: !Interpolate '{"inner": "%(secret:key)s"}'}}
            """,
            "steps.PUT: {url: '\(server)/refuse', data: !Interpolate 'text %(secret:key)s text'}",
            """
            steps.POST: {url: '\(server)/echo', data: {d: !Secret key}, \
            files: {f: !Secret key, g: {content: !Secret key, filename: \(header)}}}
            """,
            """
            steps.POST: {url: '\(server)/redirect', params: {to: !Secret key}, \
            headers: {X-A: \(header)}}
            """,
            """
            steps.POST: {url: '\(server)/stream', params: {to: !Secret key}, \
            data: {d: !Secret key}, stream: true}
            """,
        ]
    }
}
