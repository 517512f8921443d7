import MasterKit
import Testing

@testable import MasterTesting

/// The contract of steps finds what is broken.
@Suite(.timeLimit(.minutes(2)))
struct StepContractTests {
    private struct Faulty: Step {
        enum Fault: String, SettingEnumeration {
            case none, fails, throwsError, neverEnds, sharesState, ignoresCancellation
            case leavesCommand, showsPartOfSecret, ignoresFailures
        }

        static let summary = "Runs a command."
        /// Opened when a command is under way.
        static let underWay = Latch()

        @Setting("What is wrong with it.", .primary) var fault = Fault.none
        @Setting("A secret.") var token: Renderable<String>?
        private let count = Counter()

        func run(in context: StepContext) async throws -> Results {
            let log = try await context.openLog("stdio")
            try await log.line("the token is \(try context.render(token) ?? "")")
            let command = Command.shell(.init("make", in: ""))
            switch fault {
            case .none: break
            case .fails: return .failure
            case .throwsError: throw CommandError(.system, "it broke")
            case .neverEnds: await Latch().wait()
            case .sharesState: try await context.setProperty("count", to: .int(count.next()))
            case .ignoresCancellation:
                return try await Task { try await context.run(command) }.value.isSuccess
                    ? .success : .failure
            case .leavesCommand:
                Task { try await context.run(.shell(.init("sleep", in: ""))) }
                await Self.underWay.wait()
            case .showsPartOfSecret:
                let token = try context.render(token) ?? ""
                await context.setSummary("using \(token.prefix(10))…")
            case .ignoresFailures:
                do {
                    _ = try await context.run(command)
                } catch {
                    try await log.line("never mind: \(error)")
                }
                return .success
            }
            return try await context.run(command).isSuccess ? .success : .failure
        }
    }

    @Test(
        arguments: [
            ("none", nil), ("fails", .doesItsWork), ("throwsError", .doesItsWork),
            ("neverEnds", .doesItsWork), ("sharesState", .runsTwiceAtOnce),
            ("ignoresCancellation", .endsWhenCancelled), ("leavesCommand", .leavesNoCommand),
            ("showsPartOfSecret", .hidesSecrets), ("ignoresFailures", .failsWithItsMachine),
        ] as [(String, PluginPromise?)])
    func `what is wrong with a step is found`(
        _ fault: String, _ promise: PluginPromise?
    ) async throws {
        // Only a step that never ends takes as long as the limit.
        let isSlow = ["neverEnds", "ignoresCancellation"].contains(fault)
        let settings: SettingLiteral = ["fault": .string(fault), "token": .secret("token")]
        let contract = StepContract(
            Faulty.self, settings, limit: isSlow ? .seconds(3) : .seconds(60)
        ) {
            try StepHarness(
                worker: ScriptedWorker { command in
                    guard command.shown == "sleep" else { return .exit(0) }
                    Faulty.underWay.open()
                    return .hangs
                })
        }
        let broken = try await contract.brokenPromises().map(\.promise)
        // With the short limit a busy machine may cause others.
        if isSlow {
            #expect(promise.map(broken.contains) == true)
        } else {
            #expect(broken == [promise].compactMap(\.self))
        }
    }

    /// Waits in ways that a cancellation must end: a request, a pause, a build.
    private struct Patient: Step {
        enum Wait: String, SettingEnumeration {
            case request, pause, build, deafPause
        }

        static let summary = "Waits."
        @Setting("For what.", .primary) var wait: Wait

        func run(in context: StepContext) async throws -> Results {
            switch wait {
            case .request:
                let url = try HTTPAddress("http://127.0.0.1:9/")
                do {
                    _ = try await context.send(HTTPRequest(.get, url))
                } catch  where !Task.isCancelled {
                    return .success
                }
            case .pause: try await context.sleep(for: .seconds(3600))
            case .build:
                _ = try await context.build(BuildsetRequest(builders: ["a"], reason: "test"))
            case .deafPause:
                try await Task { try await context.sleep(for: .seconds(3600)) }.value
            }
            return .success
        }
    }

    @Test(arguments: ["request", "pause", "build"])
    func `a step is cancelled while it waits`(_ wait: String) async throws {
        try await StepContract(Patient.self, .string(wait)) {
            try StepHarness(clock: EagerClock(), builds: { _ in [] })
        }.verify()
    }

    @Test func `a pause that is not cancelled is found`() async throws {
        let contract = StepContract(Patient.self, "deafPause", limit: .seconds(3)) {
            try StepHarness(clock: EagerClock())
        }
        #expect(try await contract.brokenPromises().map(\.promise).contains(.endsWhenCancelled))
    }
}
