public import MasterKit

/// Builds and tests a Swift package.
public struct SwiftPackage: BuildFactory {
    /// What the factory does.
    public static let summary = "Builds a Swift package, and counts its tests."

    @Setting(
        "The configuration: debug or release; by default debug.", .primary, .notEmpty,
        .example("release"))
    var configuration: Renderable<String>?

    @Setting("The products to build; by default everything.")
    var products: [String] = []

    @Setting("Run the tests.")
    var test = true

    @Setting("Run the tests in parallel.")
    var parallel = false

    @Setting("Run only tests that match this expression.", .notEmpty)
    var filter: Renderable<String>?

    @Setting("The folder for build products; by default .build.", .notEmpty)
    var scratchPath: Renderable<String>?

    @Setting("Further arguments of 'swift build' and 'swift test'.")
    var arguments: [String] = []

    @Setting("The folder of the package; by default that of the builder.", .notEmpty)
    var workdir: Renderable<String>?

    /// Creates an unconfigured factory.
    public init() {}

    /// Reports settings that have no effect.
    public func check(_ settings: SettingsCheck) {
        for name in ["parallel", "filter"] where settings.isGiven(name) && !test {
            settings.warning("'\(name)' has no effect with 'test: false'; remove it", at: name)
        }
        if let name = configuration?.constant, !["debug", "release"].contains(name) {
            settings.error(
                "'configuration' of \(Self.key) must be debug or release, not '\(name)'",
                at: "configuration")
        }
    }

    /// A step that builds everything, or one for each product; and one that runs the tests.
    public var steps: [FactoryStep] {
        var builds: [FactoryStep] = products.map {
            step("steps.Compile", "build \($0)", ["build", "--product", .string($0)])
        }
        if products.isEmpty {
            builds = [
                step("steps.Compile", "build", test ? ["build", "--build-tests"] : ["build"])
            ]
        }
        guard test else { return builds }
        var words: [SettingLiteral] = ["test"]
        if parallel { words.append("--parallel") }
        if let filter = $filter.literal { words += ["--filter", filter] }
        return builds + [step("steps.Test", "test", words)]
    }

    private func step(
        _ key: String, _ name: String, _ words: [SettingLiteral]
    ) -> FactoryStep {
        var command: [SettingLiteral] = ["swift"] + words
        if let configuration = $configuration.literal { command += ["-c", configuration] }
        if let path = $scratchPath.literal { command += ["--scratch-path", path] }
        command += arguments.map { .string($0) }
        return FactoryStep(key, named: name, command, in: $workdir.literal)
    }
}

extension FactoryStep {
    /// Creates a step that runs a program and ends the build when it fails.
    init(
        _ key: String, named name: String, _ command: [SettingLiteral], in workdir: SettingLiteral?
    ) {
        // The names of steps are limited.
        let name = SettingLiteral.string(String(name.prefix(50)))
        guard let workdir else {
            self.init(
                key, ["name": name, "command": .array(command), "haltOnFailure": true])
            return
        }
        self.init(
            key,
            [
                "name": name, "command": .array(command), "haltOnFailure": true, "workdir": workdir,
            ])
    }
}
