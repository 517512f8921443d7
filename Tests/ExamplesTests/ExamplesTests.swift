import FoundationEssentials
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(15)))
struct ExamplesTests {
    private static let names: [String] = {
        do {
            return try Checkout.names(in: "Examples")
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    @Test(arguments: names)
    func `an example does what its expected json says`(_ name: String) async throws {
        let expected = try ExpectedRun(ofExample: name)
        let program = BuiltProgram.ofExample(name)
        try await TemporaryFolder.with { folder in
            try folder.copy("Examples/\(name)", to: name)
            try await withLoopbackServer { server in
                try folder.point("\(name)/master.yaml", to: "127.0.0.1:\(server.port)")
                let ended = try await program.run(
                    ["run", "--json"], in: "\(folder.path)/\(name)")
                #expect(ended.status == expected.exitStatus, "\(ended.output)\(ended.error)")
                try compare(try ShownBuild.all(in: ended.output), with: expected.builds)
                try expected.requests.compare(with: server.requests)
            }
        }
    }

    private func compare(_ shown: [ShownBuild], with expected: [String: ExpectedBuild]) throws {
        #expect(shown.map(\.outcome.name).sorted() == expected.keys.sorted())
        for build in shown {
            guard let expected = expected[build.outcome.name] else { continue }
            #expect(try expected.outcome.admits(build.outcome), "\(build.outcome)")
            #expect(build.steps.count == expected.steps.count)
            for (step, expectedStep) in zip(build.steps, expected.steps) {
                #expect(try expectedStep.admits(step), "\(step)")
            }
        }
    }

    @Test(arguments: names.filter { $0 != Checkout.loadedExample })
    func `an example is free of mistakes and begins by saying what it shows`(
        _ name: String
    ) async throws {
        let ended = try await BuiltProgram.ofExample(name).run(
            ["check"], in: "\(Checkout.folder)/Examples/\(name)")
        #expect(ended.status == 0)
        #expect(!ended.output.contains("warning"), "\(ended.output)")
        #expect(try Checkout.text(of: "Examples/\(name)/master.yaml").hasPrefix("# "))
    }

    @Test func `the plugins of a package are checked once they are built`() async throws {
        let name = Checkout.loadedExample
        #expect(try Checkout.text(of: "Examples/\(name)/master.yaml").hasPrefix("# "))
        try await TemporaryFolder.with { folder in
            try folder.copy("Examples/\(name)", to: name)
            let place = "\(folder.path)/\(name)"
            let program = BuiltProgram.buildmaster
            let before = try await program.run(["check"], in: place)
            #expect(before.status == 0)
            #expect(
                before.output.contains(
                    "warning: the plugins of 'CustomPlugin' are not built, so what uses them is "
                        + "not checked; run 'plugins build'"))
            #expect(!before.output.contains("error"), "\(before.output)")
            let after = try await program.run(["check", "--build"], in: place)
            #expect(after.output == "master.yaml: 1 builder, 2 steps, 1 reporter\n")
            let listed = try await program.run(["plugins", "list"], in: place)
            let line = listed.output.split(separator: "\n").first {
                $0.hasPrefix("reporters.ChatRoom ")
            }
            #expect(line?.contains("\(place)/.buildmaster/plugins/CustomPlugin-") == true)
        }
    }

    @Test func `the plugins of the custom master are listed with where they come from`()
        async throws
    {
        let version = try await BuiltProgram.ofExample("CustomMaster").run(
            ["--version"], in: Checkout.folder)
        #expect(version.output.hasPrefix("1.0 (Buildmaster "))
        let ended = try await BuiltProgram.ofExample("CustomMaster").run(
            ["plugins", "list"], in: Checkout.folder)
        let lines = ended.output.split(separator: "\n")
        let own = lines.filter { $0.hasSuffix("(CustomMaster)") }
        #expect(
            own.map { $0.prefix { $0 != " " } } == [
                "formatters.StepTimes", "generators.PropertyGenerator", "reporters.ChatRoom",
                "services.Chain", "steps.CountLines",
            ])
        #expect(lines.contains { $0.hasPrefix("reporters.HttpStatusPush ") })
    }
}

extension BuiltProgram {
    /// The program that runs an example: the example's own, if any.
    static func ofExample(_ name: String) -> BuiltProgram {
        let own = BuiltProgram(name: name)
        return own.isBuilt ? own : .buildmaster
    }
}
