extension PluginCode {
    /// The tests of a new plugin, by kind.
    static let tests = [
        "reporters": """
        @Test func `it keeps the promises of reporters`() async throws {
            try await ReporterContract(NAME.self) { ["url": "\\($0)/room"] }.verify()
        }

        @Test func `a finished build is announced`() async throws {
            try await withLoopbackServer { server in
                let reporter = try NAME.configured(["url": "\\(server.url)/room"])
                let harness = try ReporterHarness()
                for report in try await harness.reports(of: reporter, for: RecordedBuild().finished) {
                    try await harness.send(report, through: reporter)
                }
                #expect(server.requests.map(\\.path) == ["/room"])
            }
        }
        """,
        "services": """
        @Test func `the other builders are built`() async throws {
            let service = try NAME.configured(["after": "first", "builderNames": ["second"]])
            let harness = try ServiceHarness()
            try await harness.run(service, events: [RecordedBuild(builder: "first").finished])
            #expect(harness.requests.map(\\.builders) == [["second"]])
        }
        """,
        "generators": """
        @Test(arguments: [(Results.success, 0), (.failure, 1)])
        func `only builds that did not succeed are reported`(
            results: Results, count: Int
        ) async throws {
            let generator = try NAME.configured()
            let build = RecordedBuild(results: results)
            let reports = try await ReporterHarness().reports(
                of: Silent(), for: build.finished, of: build, generators: [generator])
            #expect(reports.count == count)
        }

        struct Silent: Reporter {
            static let summary = "Sends nothing."

            func send(_ report: Report, in context: DeliveryContext) async throws {}
        }
        """,
        "formatters": """
        @Test func `a report is a line`() async throws {
            let reports = try await ReporterHarness().reports(
                of: Silent(), for: RecordedBuild().finished)
            #expect(reports.map(\\.body) == [.plain("Hello from default: success")])
        }

        struct Silent: Reporter {
            static let summary = "Sends nothing."

            var defaultFormatter: any MessageFormatter { NAME() }

            func send(_ report: Report, in context: DeliveryContext) async throws {}
        }
        """,
        "steps": """
        @Test func `the lines are counted`() async throws {
            let worker = ScriptedWorker(.exit(0, .stdout("one"), .stdout("two")))
            let harness = try StepHarness(worker: worker)
            #expect(try await harness.run(try NAME.configured("ls")) == .success)
            #expect(harness.properties["lines"] == 2)
        }
        """,
        "secrets": """
        @Test func `it keeps the promises of providers`() async throws {
            let settings: SettingLiteral = ["name": "token", "value": "hunter2!"]
            try await SecretContract(NAME.self, settings, knowing: "token").verify()
        }
        """,
        "factories": """
        @Test func `tests can be left out`() throws {
            #expect(try NAME.configured().steps.count == 2)
            #expect(try NAME.configured(["test": false]).steps.count == 1)
        }
        """,
        "schedulers": """
        @Test func `it keeps the promises of schedulers`() async throws {
            try await SchedulerContract(NAME.self, ["interval": "1h"], builds: 3).verify()
        }

        @Test func `it builds after each interval`() async throws {
            let harness = try SchedulerHarness()
            try await harness.run(try NAME.configured(["interval": "1h"]), builds: 2)
            let times = harness.builds.map { $0.date.timeIntervalSince(harness.start) }
            #expect(times == [3600, 7200])
        }
        """,
        "changes": """
        @Test func `a new text is a change`() async throws {
            try await withLoopbackServer(handler: { _ in .text("1.1") }) { server in
                let source = try NAME.configured(["url": "\\(server.url)/version"])
                let harness = try ChangeSourceHarness(state: "1.0")
                try await harness.run(source, waits: 2)
                #expect(harness.changes.map(\\.revision) == ["1.1"])
            }
        }
        """,
    ]
}
