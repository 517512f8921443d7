import MasterKit
import MasterRuntime
import MasterTesting
import Testing

/// The values of secrets, which are asked for before the first build.
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
            message: "the secret 'absent' is in none of secrets.Vault, secrets.Environment",
            place: 3),
        Case(
            name: "tiny",
            message: "the secret 'tiny' has only 3 characters; masking it would garble all output, "
                + "so it needs at least 4", place: 3),
        Case(
            name: "broken",
            message: "the secret 'broken' could not be read: the vault is locked", place: 3),
    ])
    func `a secret that can't be had stops the master with its place`(
        _ known: Case
    ) async throws {
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
