import MasterKit
import Testing

@testable import MasterCommand

/// What `status` shows.
struct StatusPageTests {
    private func lines(_ fields: JSONObject) -> [String] {
        let status: JSONObject = ["configuration": "master.yaml", "uptime_s": 5, "pid": 12]
        let page = StatusPage(TerminalTraits(isTerminal: false, environment: [:]))
        return page.lines(status.merging(fields), width: 200)
    }

    @Test func `the page is where browsers find it, behind a proxy also where it listens`() {
        let behind = lines([
            "web": "http://127.0.0.1:8010/", "buildbot_url": "https://ci.example.org/",
        ])
        #expect(
            behind.last
                == "web page: https://ci.example.org/, listening on http://127.0.0.1:8010/")
        let direct = lines([
            "web": "http://127.0.0.1:8010/", "buildbot_url": "http://127.0.0.1:8010/",
        ])
        #expect(direct.last == "web page: http://127.0.0.1:8010/")
        #expect(lines([:]) == ["master.yaml: running for 5.0 s (process 12)"])
    }

    @Test func `many idle builders are counted, not listed`() {
        func shown(_ idle: Int, pending: Int = 0) -> [Substring] {
            let builders = (1...(idle + 1)).map { number -> JSONValue in
                [
                    "name": .string("b\(number)"), "declared": true, "running": [],
                    "pending": .int(number == 2 ? pending : 0),
                ]
            }
            return lines(["builders": .array(builders)]).dropFirst().map {
                $0.split(separator: " ", maxSplits: 1).first ?? ""
            }
        }
        #expect(shown(19) == (1...20).map { "b\($0)" })
        #expect(shown(20, pending: 1) == (1...21).map { "b\($0)" })
        #expect(shown(21, pending: 1) == ["b2", "21"])
        #expect(shown(20) == ["21"])
        let builder: JSONValue = ["name": "b", "declared": true, "running": [], "pending": 0]
        let all = lines(["builders": .array(Array(repeating: builder, count: 300))])
        #expect(all.last == "300 builders  idle")
    }

    @Test(arguments: [
        ("its previous build", "2 pending"), ("lock 'db'", "2 pending, waiting for lock 'db'"),
    ]) func `a builder that builds tells why it does not build more`(
        _ reason: String, _ words: String
    ) {
        let builder: JSONValue = [
            "name": "b", "declared": true, "running": [["number": 1, "started_at": 0]],
            "pending": 2, "waits_for": .string(reason),
        ]
        #expect(lines(["builders": [builder]]).last?.hasSuffix("  \(words)") == true)
    }

    @Test func `a build is asked for by a user without a name, too`() {
        #expect(ForceCommand.owner(named: "ann", id: 7) == "ann")
        #expect(ForceCommand.owner(named: "", id: 7) == "user 7")
    }
}
