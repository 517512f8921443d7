import MasterKit
import MasterRuntimeTesting
import MasterTesting
import StandardPlugins
import Testing

/// The parts that tests of plugins are made of.
@Suite(.timeLimit(.minutes(2)))
struct HarnessTests {
    // MARK: Workers

    @Test func `a scripted worker answers in order and records the commands`() async throws {
        let worker = ScriptedWorker(
            .exit(0, .stdout("built"), .stderr("slowly")), .exit(3), name: "far", isLocal: false)
        let harness = try StepHarness(worker: worker, workdir: "/work")
        let build = try ShellCommand.configured(["command": ["make", "all"]])
        #expect(try await harness.run(build) == .success)
        #expect(try await harness.run(ShellCommand.configured("make test")) == .failure)
        #expect(worker.commandLines == ["make all", "make test"])
        let lines = harness.logs.first?.lines ?? []
        #expect(lines.contains("obuilt") && lines.contains("eslowly"))
    }

    @Test func `a scripted worker has no more answers than it was given`() async throws {
        let harness = try StepHarness(worker: ScriptedWorker(), workdir: "/work")
        let error = await #expect(throws: CommandError.self) {
            try await harness.run(Listing())
        }
        #expect(
            error?.message
                == "the ScriptedWorker has no answer for command 1: listdir /work/sources")
    }

    private struct Listing: Step {
        static let summary = "Lists a folder."

        func run(in context: StepContext) async throws -> Results {
            let result = try await context.run(.listdir(.init("sources")))
            guard case .names(let names) = result.value, !names.isEmpty else { return .warnings }
            let log = try await context.openLog("names")
            for name in names { try await log.line(name) }
            return .success
        }
    }

    @Test(arguments: [
        (ScriptedWorker.Answer.exit(0), "success"), (.exit(1), "failure"),
        (.killed(signal: 9, [.stdout("half")]), "failure"),
        (.timesOut(.total(.seconds(5)), []), "failure"),
    ])
    func `a command ends as the script says`(
        _ answer: ScriptedWorker.Answer, _ results: String
    ) async throws {
        let harness = try StepHarness(worker: ScriptedWorker(answer))
        #expect(try await harness.run(ShellCommand.configured("make")).name == results)
    }

    @Test func `a scripted worker fails, is lost, and hangs until it is cancelled`() async throws {
        let lost = WorkerLost(worker: "far", reason: "the cable is cut")
        let harness = try StepHarness(worker: ScriptedWorker(.fails(lost)))
        await #expect(throws: WorkerLost.self) { try await harness.run(Listing()) }
        let hanging = try StepHarness(worker: ScriptedWorker { _ in .hangs })
        let task = Task { try await hanging.run(Listing()) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func `a scripted worker has files`() async throws {
        let worker = ScriptedWorker { command in
            switch command {
            case .listdir: .returns(.names(["a", "b"]))
            case .uploadFile: .sends(Array("text".utf8))
            default: .exit(0)
            }
        }
        let harness = try StepHarness(worker: worker, workdir: "/work")
        #expect(try await harness.run(Listing()) == .success)
        #expect(harness.log("names")?.lines == ["oa", "ob"])
        let write = try StringDownload.configured(["s": "hello", "workerdest": "greeting"])
        #expect(try await harness.run(write) == .success)
        #expect(worker.files == ["/work/greeting": Array("hello".utf8)])
    }

    @Test func `a local worker runs programs in a folder that is gone afterwards`() async throws {
        let path = try await withTemporaryFolder { folder in
            try folder.write("echo $((6 * 7)) > answer", to: "ask", permissions: 0o755)
            let harness = try StepHarness(worker: folder.localWorker, workdir: folder.path)
            #expect(try await harness.run(ShellCommand.configured("sh ask")) == .success)
            #expect(try folder.read("answer") == "42\n")
            return folder.path
        }
        #expect(!TemporaryFolderProbe.exists(path))
    }

    // MARK: Reporters

    @Test func `a recording reporter keeps reports and events, and fails as it is told`()
        async throws
    {
        let reporter = try RecordingReporter.configured([
            "answers": ["retry", "gone", "ok"], "events": ["build.finished"],
        ])
        let harness = try ReporterHarness()
        #expect(try await harness.reports(of: reporter, for: RecordedBuild().started) == [])
        let report = try #require(
            try await harness.reports(of: reporter, for: RecordedBuild().finished).first)
        var verdicts: [DeliveryError.Verdict?] = []
        for attempt in 1...4 {
            do {
                try await harness.send(report, through: reporter, attempt: attempt)
                verdicts.append(nil)
            } catch let error as DeliveryError {
                verdicts.append(error.verdict)
            }
        }
        #expect(verdicts == [.retry(after: nil), .endpointGone, nil, nil])
        #expect(reporter.recording.attempts.map(\.answer) == [.retry, .gone, .ok, .ok])
        #expect(reporter.recording.attempts.map(\.number) == [1, 2, 3, 4])
        #expect(reporter.recording.reports.map(\.results) == [.success, .success])
        #expect(reporter.recording.events.map(\.kind) == [.buildFinished])
    }

    @Test func `an unknown kind of event is an error`() {
        #expect(throws: ConfigurationError.self) {
            try RecordingReporter.configured(["events": ["build.begun"]])
        }
    }

    // MARK: Secrets

    @Test func `providers of secrets read files and run programs`() async throws {
        try await withTemporaryFolder { folder in
            try folder.write("s3cr3t-value\n", to: "secrets/token", permissions: 0o600)
            let harness = SecretHarness(folder: folder.path, worker: folder.localWorker)
            let files = try FileSecrets.configured("secrets")
            #expect(try await harness.value(of: "token", from: files) == "s3cr3t-value")
            #expect(try await harness.value(of: "other", from: files) == nil)
            #expect(
                try await harness.inventory(from: files).values == ["token": "s3cr3t-value"])
            let program = try CommandSecrets.configured(["command": ["cat", "secrets/token"]])
            await #expect(throws: (any Error).self) {
                try await harness.value(of: "no-such-file", from: program)
            }
        }
        let worker = ScriptedWorker(.exit(0, .stdout("hunter2!")))
        let harness = SecretHarness(folder: "/srv", worker: worker)
        let program = try CommandSecrets.configured(["command": ["pass", "show"]])
        #expect(try await harness.value(of: "token", from: program) == "hunter2!")
        #expect(worker.commandLines == ["pass show token"])
    }

    // MARK: Clocks

    @Test func `a manual clock wakes who is due, and shows who sleeps`() async throws {
        let clock = ManualClock()
        async let short: Void = clock.sleep(for: .seconds(5))
        async let long: Void = clock.sleep(for: .seconds(60))
        await clock.waitForSleep(until: .seconds(5))
        await clock.waitForSleep(until: .seconds(60))
        clock.advance(by: .seconds(5))
        try await short
        #expect(clock.now.offset == .seconds(5))
        clock.advance(by: .seconds(55))
        try await long
        let sleep = Task { try await clock.sleep(for: .seconds(1)) }
        await clock.waitForSleep()
        sleep.cancel()
        await #expect(throws: CancellationError.self) { try await sleep.value }
    }
}
