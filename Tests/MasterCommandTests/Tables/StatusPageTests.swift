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
}
