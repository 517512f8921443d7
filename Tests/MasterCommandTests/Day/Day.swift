import FoundationEssentials
import MasterKit
import MasterTesting
import Subprocess
import Testing

/// A day that a master spends, by a clock that the test sets.
///
/// The clock stands still while the test waits for something, so that the outcome does not depend
/// on the speed of the machine.
final class Day {
    let program: Program
    let plan: DayPlan
    let forge: DayForge
    let receiver: DayReceiver
    private let client: HTTPClient
    private let port: Int
    private var random: SeededNumbers
    /// The time in milliseconds since 1970.
    private(set) var now = DayPlan.start * 1000
    private var pushed = 0
    /// Whether builds of `two` do not end.
    private var isHolding = false
    private(set) var commits: [DayCommit] = []
    /// How many of the times of the scheduler `nightly` have come.
    private(set) var nightlyCount = 0
    /// When the scheduler should have submitted builds, in milliseconds since 1970.
    private(set) var nightlies: [Int] = []

    init(_ plan: DayPlan, _ program: Program, _ client: HTTPClient) async throws {
        port = try await DayReceiver.freePort()
        receiver = try await DayReceiver()
        forge = try await DayForge(plan, program, client, port: port)
        (self.plan, self.client, random) = (plan, client, plan.random)
        var program = program
        program.environment = ["TEST_CLOCK": program.folder + "/clock", "hook": DayForge.secret]
        self.program = program
        try setClock(now)
    }

    var store: DayStore {
        get throws { try DayStore(basedir: program.folder + "/.buildmaster") }
    }

    // MARK: The master

    /// The parts of master.yaml that change.
    struct File {
        var timer = "5m"
        var interval = "10m"
        var timeout = 5
        var end = ""
    }

    func write(_ file: File) throws {
        let yaml = """
            www:
              port: \(port)
              change_hook_dialects:
                github: {secret: !Secret hook}
                gitlab: {secret: !Secret hook}
                base: {secret: !Secret hook}
            secrets: [secrets.Environment]
            services:
              - reporters.HttpStatusPush:
                  serverUrl: http://127.0.0.1:\(receiver.port)/status
                  timeout: \(file.timeout)
            change_source:
              - changes.GitPoller:
                  repourl: \(forge.repository)
                  branches: [main, next]
                  pollInterval: \(file.interval)
            schedulers:
              - schedulers.SingleBranchScheduler:
                  name: stable
                  change_filter: {branch: main, repository_not_eq: \(forge.repository)}
                  treeStableTimer: \(file.timer)
                  builderNames: [one]
              - schedulers.SingleBranchScheduler:
                  name: polled
                  change_filter: {branch: main, repository: \(forge.repository)}
                  treeStableTimer: 2m
                  builderNames: [three]
              - schedulers.AnyBranchScheduler: {name: any, builderNames: [two]}
              - schedulers.Nightly:
                  name: nightly
                  hour: [2, 8, 14, 20]
                  minute: 30
                  timezone: Europe/Berlin
                  builderNames: [night]
            builders:
              - {name: one, steps: []}
              - name: two
                steps:
                  - steps.ShellCommand: while [ -e \(program.folder)/hold ]; do sleep 0.02; done
              - {name: three, steps: []}
              - {name: night, steps: []}
            \(file.end)
            """
        try program.write(yaml, to: "master.yaml")
    }

    /// Runs a closure while a master is running. The closure ends it.
    func withMaster(
        status: Int32, _ body: (RunningProgram) async throws -> Void
    ) async throws {
        let ended = try await program.runMerged(
            ["start", "--jobs", "2"], executable: Program.path(of: "TestMaster")
        ) { running in
            do {
                try await waitUntilReady(running)
                try await body(running)
            } catch {
                print(running.transcript.text.suffix(4000))
                try running.send(.kill)
                throw error
            }
        }
        #expect(ended.status == status, "\(ended.output.suffix(2000))")
    }

    /// Runs a closure while a build of `two` runs, which begins with the next push.
    func holdingBuild(_ body: () async throws -> Void) async throws {
        try await settle()
        try program.write("", to: "hold")
        isHolding = true
        try await pass(minutes: 2)
        try await wait(for: "a build of 'two'") { try $0.running("two") > 0 }
        try await body()
        isHolding = false
        try FileManager.default.removeItem(atPath: program.folder + "/hold")
    }

    // MARK: Time

    private func setClock(_ moment: Int) throws {
        now = max(now, moment)
        try Data("\(now)".utf8).write(
            to: URL(filePath: program.folder + "/clock"), options: .atomic)
    }

    /// Lets time pass while no master is running. Nothing but the repository gets pushes.
    func sleep(minutes: Int) throws {
        try setClock(now + minutes * 60_000)
    }

    func pass(minutes: Int) async throws {
        try await pass(until: now / 1000 + minutes * 60)
    }

    /// Lets time pass, with the pushes that are due.
    func pass(until moment: Int) async throws {
        while true {
            let push = pushed < plan.pushes.count ? plan.pushes[pushed].at : .max
            let night =
                nightlyCount < DayPlan.nightlies.count ? DayPlan.nightlies[nightlyCount] : .max
            guard min(push, night) <= moment else { break }
            if night <= push {
                try await nightFalls(at: night * 1000)
            } else {
                try await passTimers(until: push * 1000)
                try await deliverNext()
                if !isHolding, Int.random(in: 0..<6, using: &random) == 0 { try await settle() }
            }
        }
        try await passTimers(until: moment * 1000)
    }

    /// Passes a time of the scheduler `nightly`, and waits for its builds before time goes on.
    private func nightFalls(at moment: Int) async throws {
        try await passTimers(until: moment)
        nightlyCount += 1
        // If it is later already, no master was running at the time.
        nightlies.append(now)
        try await wait(for: "the nightly build \(nightlyCount)") {
            try $0.nightlies().count >= nightlyCount
        }
    }

    /// Lets time pass, from the end of each timer that schedulers have started to that of the next.
    private func passTimers(until moment: Int) async throws {
        while let due = try store.nextTimer(), due < moment {
            try setClock(due + 1)
            try await wait(for: "the timer that ends at \(due)") { try $0.nextTimer() != due }
        }
        try setClock(moment)
    }

    // MARK: Pushes

    /// Takes the next push, which the master gets in another way.
    func takeNext() -> DayPlan.Push {
        defer { pushed += 1 }
        commits += forge.commits(of: plan.pushes[pushed])
        return plan.pushes[pushed]
    }

    /// How the master hears of the next push.
    var wayOfNext: DayPlan.Way { plan.pushes[pushed].way }

    func deliverNext() async throws {
        try await forge.deliver(takeNext())
    }

    // MARK: Waiting

    /// Waits, while the clock stands still, until the store of the master is in a state.
    func wait(for what: String, _ isSo: (DayStore) throws -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(60)
        let store = try store
        while try !isSo(store) {
            try #require(ContinuousClock.now < limit, "still waiting for \(what)")
            try await Task.sleep(for: .milliseconds(3))
        }
    }

    /// Waits until a master is ready. There may be no store before.
    private func waitUntilReady(_ running: RunningProgram) async throws {
        let limit = ContinuousClock.now + .seconds(60)
        while !running.transcript.text.contains("info: ready: ") {
            try #require(ContinuousClock.now < limit, "still waiting for the master")
            try await Task.sleep(for: .milliseconds(3))
        }
    }

    /// Waits until all changes have been looked at and all builds have ended.
    func settle() async throws {
        try await wait(for: "builds") { try $0.isSettled() }
    }

    /// The revisions of the changes of a build, as the data API tells them.
    func revisions(ofBuild id: Int) async throws -> [String] {
        let response = try await client.send(
            HTTPRequest(.get, "http://127.0.0.1:\(port)/api/v2/builds/\(id)/changes"))
        try #require(response.status == 200, "\(response.text)")
        let changes = try JSONValue(parsing: response.body)["changes"]?.arrayValue ?? []
        return changes.compactMap { $0["sourcestamp"]?["revision"]?.stringValue }
    }
}
