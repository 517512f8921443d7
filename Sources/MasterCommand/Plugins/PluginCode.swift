/// The parts of a new package that depend on the kind of plugin.
struct PluginCode {
    let kind: String
    let name: String

    var plugin: String { Self.plugins[kind].map(filled) ?? "" }
    var test: String { Self.tests[kind].map(filled) ?? "" }
    var masterFile: String { Self.masterFiles[kind].map(filled) ?? "" }

    private func filled(_ text: String) -> String {
        text.replacing("NAME", with: name)
    }

    private static let plugins = [
        "reporters": """
        import MasterKit

        /// Announces finished builds.
        struct NAME: Reporter {
            static let summary = "Announces finished builds."

            @Setting("The address to post to.", .primary, .secret)
            var url: Renderable<HTTPAddress>

            @Setting("Which results to announce.")
            var announce: [Results] = [.success, .warnings, .failure, .exception]

            func send(_ report: Report, in context: DeliveryContext) async throws {
                guard case .json(let build) = report.body, let results = report.results,
                    announce.contains(results)
                else { throw DeliveryError(.nothingToSend, "the receiver is not told of this") }
                let builder = build["builder"]?["name"]?.stringValue ?? "a builder"
                let text: JSONValue = ["text": .string("\\(builder): \\(results.name)")]
                var request = HTTPRequest(.post, try context.render(url))
                request.body = .json(JSONWriter.compact.bytes(text))
                let response = try await context.send(request)
                if let error = DeliveryError(answering: response, in: context) { throw error }
            }
        }

        """,
        "services": """
        import MasterKit

        /// Builds some builders after another one has succeeded.
        struct NAME: MasterService {
            static let summary = "Builds builders after another one has succeeded."

            @Setting("The builder to wait for.", .notEmpty, .example("first")) var after: String
            @Setting("The builders to build then.", .notEmpty, .example(["second"]))
            var builderNames: [String]

            let wantedEvents: Set<EventKind> = [.buildFinished]

            func run(in context: ServiceContext) async throws {
                for await case .event(let build) in context.events
                where build.builderName == after && build.results == .success {
                    let reason = "\\(after) succeeded"
                    try await context.submit(BuildsetRequest(builders: builderNames, reason: reason))
                }
            }
        }

        """,
        "generators": """
        import MasterKit

        /// Reports finished builds that did not succeed.
        struct NAME: ReportGenerator {
            static let summary = "Reports finished builds that did not succeed."

            @Setting("Formats the message.", plugins: .formatters, .named("message_formatter"))
            var formatter: (any MessageFormatter)?

            var wantedEvents: Set<EventKind> { [.buildFinished] }

            func generate(for event: Event, in context: ReportContext) async throws -> Report? {
                guard event.results != .success else { return nil }
                return try await context.report(with: formatter)
            }
        }

        """,
        "formatters": """
        import MasterKit

        /// Formats a report as a line of text.
        struct NAME: MessageFormatter {
            static let summary = "Formats a report as a line of text."

            @Setting("The first word of the line.") var greeting = "Hello"

            func format(_ topic: ReportTopic) -> Message {
                let results = topic.results?.name ?? "started"
                return Message(.plain("\\(greeting) from \\(topic.builderName ?? "all"): \\(results)"))
            }
        }

        """,
        "steps": """
        import MasterKit

        /// Runs a line of shell, and keeps the number of the lines that it prints.
        struct NAME: Step {
            static let summary = "Counts the lines that a command prints."

            @Setting("The line of shell.", .primary, .notEmpty, .example("ls"))
            var command: Renderable<String>

            @Setting("The property that gets the number.") var property = "lines"

            func run(in context: StepContext) async throws -> Results {
                let script = Command.Invocation.script(try context.render(command))
                var count = 0
                let shell = Command.Shell(script, in: context.workdir)
                let result = try await context.run(shell, observing: { _ in count += 1 })
                try await context.setProperty(property, to: .int(count))
                await context.setSummary("\\(count) lines")
                return result.isSuccess ? .success : .failure
            }
        }

        """,
        "secrets": """
        import MasterKit

        /// Knows the secrets that are written in its settings, for trying out.
        struct NAME: SecretProvider {
            static let summary = "Knows one secret."

            @Setting("The name of the secret.", .notEmpty, .named("name"), .example("token"))
            var secretName: String
            @Setting("The value of the secret.", .notEmpty, .secret, .example("hunter2!"))
            var value: String

            func value(of name: String, in context: SecretContext) async throws -> String? {
                name == secretName ? value : nil
            }
        }

        """,
        "factories": """
        import MasterKit

        /// Builds and tests a project that has a makefile.
        struct NAME: BuildFactory {
            static let summary = "Builds and tests a project that has a makefile."

            @Setting("The program that reads the makefile.") var make = "make"
            @Setting("Whether to run the tests.") var test = true

            var steps: [FactoryStep] {
                let build = FactoryStep("steps.Compile", ["command": [.string(make), "all"]])
                let check = FactoryStep("steps.Test", ["command": [.string(make), "check"]])
                return test ? [build, check] : [build]
            }
        }

        """,
        "schedulers": """
        import FoundationEssentials
        import MasterKit

        /// Builds at regular intervals.
        struct NAME: Scheduler {
            static let summary = "Builds at regular intervals."

            @Setting(
                "The time between two builds.", .within(.seconds(1)...(.seconds(31_536_000))),
                .example("1h"))
            var interval = Duration.seconds(3600)

            func run(in context: SchedulerContext) async throws {
                // The time of the last build, or of the first start, in seconds since 1970.
                let saved = try await context.state()?["last"]?.intValue
                var last = saved ?? Int(context.now.timeIntervalSince1970)
                if saved == nil { try await context.save(["last": .int(last)]) }
                while true {
                    last += Int(interval / .seconds(1))
                    try await context.sleep(until: Date(timeIntervalSince1970: Double(last)))
                    // Stored together, so that no build is lost or repeated after a crash.
                    try await context.submit(saving: ["last": .int(last)])
                }
            }
        }

        """,
        "changes": """
        import FoundationEssentials
        import MasterKit

        /// Notices when the text at an address changes, such as the version of a release.
        struct NAME: ChangeSource {
            static let summary = "Notices when the text at an address changes."

            @Setting("The address of the text.", .primary, .example("http://127.0.0.1:9980/version"))
            var url: Renderable<HTTPAddress>
            @Setting("The time between two looks.", .within(.seconds(1)...(.seconds(86_400))))
            var pollInterval = Duration.seconds(600)

            func run(in context: ChangeSourceContext) async throws {
                while true {
                    let response = try await context.send(HTTPRequest(.get, context.render(url)))
                    context.problem = response.isSuccess ? nil : "got the answer \\(response.status)"
                    let text = String(response.text.prefix(200))
                    let known = try await context.state()
                    if response.isSuccess, known != .string(text) {
                        let change = Change(
                            author: context.name, comments: text,
                            sourceStamp: SourceStamp(revision: text), when: context.now)
                        // The first text is not a change. Stored together, so that after a crash none
                        // is lost or repeated.
                        try await context.addChanges(
                            known == nil ? [] : [change], saving: .string(text))
                    }
                    try await context.sleep(for: pollInterval)
                }
            }
        }

        """,
    ]

    private static let masterFiles = [
        "reporters": """
        services:
          - reporters.NAME: http://127.0.0.1:9980/room

        steps:
          - steps.ShellCommand: echo hello
        """,
        "services": """
        services:
          - services.NAME:
              after: first
              builderNames: [second]

        builders:
          - name: first
            steps:
              - steps.ShellCommand: echo first
          - name: second
            triggeredOnly: true
            steps:
              - steps.ShellCommand: echo second
        """,
        "generators": """
        services:
          - reporters.HttpStatusPush:
              serverUrl: http://127.0.0.1:9980/status
              generators:
                - generators.NAME

        steps:
          - steps.ShellCommand: echo hello
        """,
        "formatters": """
        services:
          - reporters.HttpStatusPush:
              serverUrl: http://127.0.0.1:9980/status
              generators:
                - generators.BuildStatusGenerator:
                    mode: all
                    message_formatter:
                      formatters.NAME:
                        greeting: Good day

        steps:
          - steps.ShellCommand: echo hello
        """,
        "steps": """
        steps:
          - steps.NAME: ls
          - steps.ShellCommand: [echo, !Interpolate "%(prop:lines)s lines"]
        """,
        "secrets": """
        secrets:
          - secrets.NAME:
              name: token
              value: hunter2!

        steps:
          - steps.ShellCommand: [echo, !Secret token]
        """,
        "factories": """
        builders:
          - name: project
            factory:
              factories.NAME:
                make: echo
        """,
        "schedulers": """
        schedulers:
          - schedulers.NAME:
              name: hourly
              builderNames: [project]
              interval: 1h

        builders:
          - name: project
            steps:
              - steps.ShellCommand: echo hello
        """,
        "changes": """
        change_source:
          - changes.NAME: http://127.0.0.1:9980/version

        steps:
          - steps.ShellCommand: echo hello
        """,
    ]
}
