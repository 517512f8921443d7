import MasterKit
import MasterRuntime
import MasterTesting
import Testing

/// The values of secrets, which are fetched before the first build.
struct SecretFetchingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let message: String
        let place: Int

        var testDescription: String { name }
    }

    @Test(arguments: [
        Case(
            name: "absent",
            message: "the secret 'absent' was not found by secrets.Vault, "
                + "secrets.Environment (variable absent)",
            place: 3),
        Case(
            name: "tiny",
            message: "the secret 'tiny' has only 3 characters; masking it would garble all output, "
                + "so it needs at least 4", place: 3),
        Case(
            name: "broken",
            message: "the secret 'broken' could not be read: the vault is locked", place: 3),
    ])
    func `a secret that can't be had stops the master with its place`(_ known: Case) async throws {
        let yaml = """
            secrets: [secrets.Vault, secrets.Environment]
            steps:
              - steps.SetProperty: {property: p, value: !Secret \(known.name)}
              - steps.SetProperty: {property: p, value: !Interpolate "%(secret:\(known.name))s"}
            """
        try await MasterBench.with(yaml, plugins: [Vault.self]) { bench in
            let error = await #expect(throws: ConfigurationError.self) { try await bench.build() }
            #expect(error?.diagnostics.map(\.message) == [known.message])
            #expect(error?.diagnostics.first?.range?.start.line == known.place)
        }
    }

    @Test func `all of them are told at once`() async throws {
        let yaml = """
            secrets: [secrets.Vault]
            steps:
              - steps.SetProperty: {property: p, value: [!Secret absent, !Secret tiny]}
              - steps.SetProperty: {property: p, value: [!Secret token, !Secret short]}
            """
        try await MasterBench.with(yaml, plugins: [Vault.self]) { bench in
            let error = await #expect(throws: ConfigurationError.self) { try await bench.build() }
            #expect(error?.diagnostics.map(\.severity) == [.error, .error, .warning])
        }
    }

    @Test func `the first provider that knows a name wins, and one that fails ends the asking`()
        async throws
    {
        let second = "secrets.Command: [sh, -c, 'echo second value', sh]"
        let yaml = """
            secrets: [secrets.Vault, \(second)]
            steps:
              - steps.SetProperty: {property: p, value: [!Secret token, !Secret other]}
              - steps.SetProperty: {property: p, value: !Secret broken}
            """
        try await MasterBench.with(yaml, plugins: [Vault.self]) { bench in
            let fetched = await SecretFetcher(try bench.configuration()).fetch()
            #expect(fetched.values["token"] == "s3cr3t-value")
            #expect(fetched.values["other"] == "second value")
            #expect(fetched.values["broken"] == nil)
            #expect(fetched.diagnostics.count == 1)
        }
    }

    @Test func `what a provider says of its failure holds no other secret`() async throws {
        let program = "secrets.Command: [sh, -c, 'echo s3cr3t-value is no key >&2; exit 1', sh]"
        let yaml = """
            secrets: [secrets.Vault, \(program)]
            steps: [steps.SetProperty: {property: p, value: [!Secret token, !Secret other]}]
            """
        try await MasterBench.with(yaml, plugins: [Vault.self]) { bench in
            let fetched = await SecretFetcher(try bench.configuration()).fetch()
            let message = fetched.diagnostics.first?.message
            #expect(message?.hasSuffix("exit code 1; it says: <token> is no key") == true)
        }
    }

    @Test func `a short one is used with a warning`() async throws {
        let yaml = """
            secrets: [secrets.Vault]
            steps: [steps.SetProperty: {property: p, value: !Secret short}]
            """
        try await MasterBench.with(yaml, plugins: [Vault.self]) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.properties["p"] == "<short>")
            let fetched = await SecretFetcher(try bench.configuration()).fetch()
            #expect(fetched.isComplete)
            #expect(fetched.diagnostics.map(\.severity) == [.warning])
            #expect(fetched.diagnostics.first?.range?.description == "2:49-2:62")
        }
    }
}
