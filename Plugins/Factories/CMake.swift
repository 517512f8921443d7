import FoundationEssentials
public import MasterKit

/// Configures, builds and tests a CMake project.
public struct CMake: BuildFactory {
    /// What the factory does.
    public static let summary = "Configures and builds a CMake project, and counts its tests."

    @Setting("The build type, such as Release; by default the project's own.", .primary, .notEmpty)
    var buildType: Renderable<String>?

    @Setting("The generator, such as Ninja; by default CMake's own choice.", .notEmpty)
    var generator: Renderable<String>?

    @Setting("Variables of the cache, by name.")
    var definitions: Renderable<ExactDictionary<String>>?

    @Setting("The folder of the sources.", .notEmpty)
    var source: Renderable<String>?

    @Setting("The folder to build in.", .notEmpty)
    var build: Renderable<String>?

    @Setting("The targets to build; by default all.")
    var targets: [String] = []

    @Setting("How many compilers run at once; by default one for each processor.")
    var jobs: PositiveNumber?

    @Setting("Run the tests with ctest.")
    var test = true

    @Setting("Further arguments of ctest.")
    var testArguments: [String] = []

    @Setting(
        "The folder that all others are relative to; by default that of the builder.", .notEmpty)
    var workdir: Renderable<String>?

    /// Creates an unconfigured factory.
    public init() {}

    /// Reports settings that have no effect, and definitions whose names are computed.
    public func check(_ settings: SettingsCheck) {
        if settings.isGiven("testArguments"), !test {
            settings.warning(
                "'testArguments' has no effect with 'test: false'; remove it", at: "testArguments")
        }
        if let definitions = $definitions.literal, definitions.entries == nil {
            settings.error(
                "'definitions' of \(Self.key) must be a mapping whose names are plain texts",
                at: "definitions")
        }
    }

    /// Three steps: configure, build and test.
    public var steps: [FactoryStep] {
        let steps = [
            FactoryStep(
                "steps.Configure", named: "configure", configureCommand, in: $workdir.literal),
            FactoryStep("steps.Compile", named: "build", buildCommand, in: $workdir.literal),
        ]
        guard test else { return steps }
        return steps + [
            FactoryStep("steps.Test", named: "test", testCommand, in: $workdir.literal)
        ]
    }

    private var folder: SettingLiteral { $build.literal ?? "build" }

    private var configureCommand: [SettingLiteral] {
        var command: [SettingLiteral] = ["cmake", "-S", $source.literal ?? ".", "-B", folder]
        if let generator = $generator.literal { command += ["-G", generator] }
        if let type = $buildType.literal { command.append(Self.define("CMAKE_BUILD_TYPE", type)) }
        for (name, value) in $definitions.literal?.entries ?? [] {
            command.append(Self.define(name, value))
        }
        return command
    }

    private var buildCommand: [SettingLiteral] {
        // Without a number, make starts as many compilers as there are files.
        let count = jobs?.value ?? ProcessInfo.processInfo.activeProcessorCount
        var command: [SettingLiteral] = ["cmake", "--build", folder, "--parallel"]
        command.append(.string("\(count)"))
        if let type = $buildType.literal { command += ["--config", type] }
        if !targets.isEmpty { command += ["--target"] + targets.map { .string($0) } }
        return command
    }

    private var testCommand: [SettingLiteral] {
        var command: [SettingLiteral] = ["ctest", "--test-dir", folder, "--output-on-failure"]
        if let type = $buildType.literal { command += ["-C", type] }
        return command + testArguments.map { .string($0) }
    }

    private static func define(_ name: String, _ value: SettingLiteral) -> SettingLiteral {
        if let text = value.text { return .string("-D\(name)=\(text)") }
        return .interpolate(
            "-D%(kw:name)s=%(kw:value)s", ["name": .string(name), "value": value])
    }
}
