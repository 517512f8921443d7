import FoundationEssentials
import MasterKit
import Testing

/// The keys and values are those of Buildbot's data API.
struct RecordFormTests {
    private static let start = Date(timeIntervalSince1970: 1_700_000_000.9)
    private static let end = Date(timeIntervalSince1970: 1_700_000_005)

    @Test func `a build has its keys while it runs and when it has ended`() {
        var build = Build(
            id: 4, number: 2, builderID: 3, requestID: 5, workerID: 6, startedAt: Self.start,
            properties: Properties(["a": 1], source: "s"))
        #expect(
            build.json == [
                "buildid": 4, "number": 2, "builderid": 3, "buildrequestid": 5, "workerid": 6,
                "masterid": 1, "started_at": 1_700_000_000, "complete_at": .null,
                "locks_duration_s": 0, "complete": false, "state_string": "starting",
                "results": .null, "properties": ["a": [1, "s"]],
            ])
        build.completeAt = Self.end
        build.results = .success
        #expect(build.json["complete_at"] == 1_700_000_005)
        #expect(build.json["complete"] == true)
        #expect(build.json["results"] == 0)
    }

    @Test func `a request and a buildset have the result -1 until they end`() {
        var request = BuildRequest(id: 1, buildsetID: 2, builderID: 3, submittedAt: Self.start)
        #expect(
            request.json == [
                "buildrequestid": 1, "buildsetid": 2, "builderid": 3, "priority": 0,
                "claimed": false, "claimed_at": .null, "claimed_by_masterid": .null,
                "complete": false, "results": -1, "submitted_at": 1_700_000_000,
                "complete_at": .null, "waited_for": false, "properties": .null,
            ])
        request.claimedAt = Self.start
        request.completeAt = Self.end
        request.results = .retry
        #expect(request.json["claimed_by_masterid"] == 1)
        #expect(request.json["complete"] == true)
        #expect(request.json["results"] == 5)
        let buildset = Buildset(id: 2, reason: "because", submittedAt: Self.start)
        #expect(buildset.json["results"] == -1)
        #expect(buildset.json["complete"] == false)
        #expect(buildset.json["sourcestamps"] == [])
    }

    @Test func `a step and a log have their keys`() {
        let step = StepRecord(
            id: 1, number: 2, buildID: 3, name: "make", startedAt: Self.start,
            locksAcquiredAt: Self.start, urls: [StepURL(name: "report", url: "http://h/")])
        #expect(
            step.json == [
                "stepid": 1, "number": 2, "name": "make", "buildid": 3,
                "started_at": 1_700_000_000, "locks_acquired_at": 1_700_000_000,
                "complete": false, "complete_at": .null, "state_string": "pending",
                "results": .null, "urls": [["name": "report", "url": "http://h/"]],
                "hidden": false,
            ])
        let log = Log(id: 1, stepID: 2, name: "stdio", slug: "stdio", kind: .stream, lineCount: 3)
        #expect(
            log.json == [
                "logid": 1, "name": "stdio", "slug": "stdio", "stepid": 2, "complete": false,
                "num_lines": 3, "type": "s",
            ])
    }

    @Test func `a source stamp gives its attributes by name`() {
        let stamp = SourceStamp(
            id: 1, branch: "b", repository: "r", project: "p", codebase: "c",
            createdAt: Self.start)
        #expect(
            stamp.json == [
                "ssid": 1, "branch": "b", "revision": .null, "project": "p", "repository": "r",
                "codebase": "c", "created_at": 1_700_000_000, "patch": .null,
            ])
        #expect(stamp.attribute("branch") == "b")
        #expect(stamp.attribute("revision") == .null)
        #expect(stamp.attribute("repository") == "r")
        #expect(stamp.attribute("project") == "p")
        #expect(stamp.attribute("codebase") == "c")
        #expect(stamp.attribute("colour") == nil)
    }

    @Test(arguments: [
        (0.0, JSONValue.int(0)), (-0.5, .int(-1)), (1.999, .int(1)), (.infinity, .null),
        (.nan, .null), (1e300, .null),
    ])
    func `a moment is whole seconds, or null when it can't be told`(
        seconds: Double, value: JSONValue
    ) {
        #expect(JSONValue.time(Date(timeIntervalSince1970: seconds)) == value)
        #expect(JSONValue.time(nil) == .null)
    }
}
