import FoundationEssentials
import MasterKit

/// Events of a build as published by a master, one second apart.
struct SampleEvents {
    private let start = Date(timeIntervalSince1970: 1_000_000)
    let builder: String
    let buildID: Int

    init(builder: String = "linux", buildID: Int = 7) {
        self.builder = builder
        self.buildID = buildID
    }

    func moment(_ second: Double) -> Date { start.addingTimeInterval(second) }

    func build(
        _ kind: EventKind, at second: Double, results: Results? = nil, _ text: String = "starting"
    ) -> Event {
        let build = Build(
            id: buildID, number: 3, builderID: 1, requestID: 1, workerID: 1,
            startedAt: start, results: results, stateString: text)
        var record = build.json
        record["builder"] = .object(Builder(id: 1, name: builder).json)
        return Event(at: moment(second), kind: kind, lane: 1, buildID: buildID, record: record)
    }

    func step(
        _ number: Int, _ name: String, _ kind: EventKind, at second: Double,
        results: Results? = nil, _ text: String = "", hidden: Bool = false
    ) -> Event {
        let step = StepRecord(
            id: 10 + number, number: number, buildID: buildID, name: name, results: results,
            stateString: text, isHidden: hidden)
        return Event(
            at: moment(second), kind: kind, lane: 1, buildID: buildID, record: step.json)
    }

    func log(_ number: Int, _ kind: EventKind, at second: Double) -> Event {
        Event(
            at: moment(second), kind: kind, lane: 1, buildID: buildID,
            record: ["logid": 1, "stepid": .int(10 + number)])
    }

    /// A build with one successful and one failed step.
    var failure: [Event] {
        [
            build(.buildNew, at: 0),
            step(1, "compile", .stepNew, at: 0),
            step(1, "compile", .stepStarted, at: 0, "compiling"),
            log(1, .logNew, at: 1),
            step(1, "compile", .stepFinished, at: 2.5, results: .success, "compiled"),
            step(2, "test", .stepNew, at: 2.5),
            step(2, "test", .stepStarted, at: 2.5, "testing"),
            step(2, "test", .stepFinished, at: 3, results: .failure, "tests (failure)"),
            build(.buildFinished, at: 3, results: .failure, "failed tests (failure)"),
        ]
    }
}
