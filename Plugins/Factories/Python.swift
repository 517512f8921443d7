public import MasterKit

/// Tests a Python package in a virtual environment.
public struct Python: BuildFactory {
    /// What the factory does.
    public static let summary =
        "Makes a virtual environment for a Python package, and counts its tests."

    @Setting("The Python that makes the environment; by default python3.", .notEmpty)
    var python: Renderable<String>?

    @Setting("The folder of the virtual environment, by default in the builder's; false for none.")
    var venv: Renderable<EnvironmentFolder>?

    @Setting("The environment also has the packages of the system.")
    var systemSitePackages = false

    @Setting("Files with requirements to install.")
    var requirements: [String] = []

    @Setting(
        "What pip installs, such as '.[test]'; by default the package itself, and pytest if it runs "
            + "the tests.")
    var install: [String]?

    @Setting("What runs the tests: pytest or unittest; false for nothing.")
    var test = PythonTests.pytest

    @Setting("Further arguments of the tests.")
    var testArguments: [String] = []

    @Setting("The folder of the package; by default that of the builder.", .notEmpty)
    var workdir: Renderable<String>?

    /// Creates an unconfigured factory.
    public init() {}

    /// Reports settings that contradict each other.
    public func check(_ settings: SettingsCheck) {
        if settings.isGiven("systemSitePackages"), !hasEnvironment {
            settings.warning(
                "'systemSitePackages' has no effect with 'venv: false'; remove it",
                at: "systemSitePackages")
        }
        if settings.isGiven("testArguments"), test == .none {
            settings.warning(
                "'testArguments' has no effect with 'test: false'; remove it", at: "testArguments")
        }
    }

    private var hasEnvironment: Bool { $venv.literal?.text != "false" }

    /// Steps that make the environment, install packages, and run the tests.
    ///
    /// Without an environment, only what is asked for is installed.
    public var steps: [FactoryStep] {
        var steps: [FactoryStep] = []
        if hasEnvironment {
            let options: [SettingLiteral] = systemSitePackages ? ["--system-site-packages"] : []
            steps.append(step("venv", [own, "-m", "venv"] + options + [folder]))
        }
        if !requirements.isEmpty {
            let files: [SettingLiteral] = requirements.flatMap { ["-r", .string($0)] }
            steps.append(step("requirements", pip + files))
        }
        if let install {
            if !install.isEmpty {
                steps.append(step("install", pip + install.map { .string($0) }))
            }
        } else if hasEnvironment {
            let tools: [SettingLiteral] = test == .pytest ? ["pytest"] : []
            steps.append(step("install", ["sh", "-c", .string(Self.script), program] + tools))
        }
        guard let module = test.module else { return steps }
        let command = [program, "-m", .string(module)] + testArguments.map { .string($0) }
        return steps + [
            FactoryStep("steps.Test", named: "test", command, in: $workdir.literal)
        ]
    }

    /// Installs the tools that are its arguments, and the package in the folder, if it is one that
    /// says how it is built. Files of an editable package are used from where they are.
    private static let script = #"""
        if [ -e setup.py ] || grep -qs '^\[build-system\]' pyproject.toml; then
            set -- "$@" -e .
        elif [ $# = 0 ]; then
            echo 'neither setup.py nor [build-system] in pyproject.toml: nothing to install'
            exit
        fi
        exec "$0" -m pip install --disable-pip-version-check "$@"
        """#

    private func step(_ name: String, _ command: [SettingLiteral]) -> FactoryStep {
        FactoryStep("steps.ShellCommand", named: name, command, in: $workdir.literal)
    }

    private var pip: [SettingLiteral] {
        [program, "-m", "pip", "install", "--disable-pip-version-check"]
    }

    private var own: SettingLiteral { $python.literal ?? "python3" }

    private var folder: SettingLiteral {
        $venv.literal ?? .interpolate("%(prop:builddir)s/venv")
    }

    /// The Python that runs the tests.
    private var program: SettingLiteral {
        guard hasEnvironment else { return own }
        return .interpolate("%(kw:folder)s/bin/python", ["folder": folder])
    }
}

/// What runs the tests of a Python package.
enum PythonTests: SettingValue {
    case pytest
    case unittest
    case none

    static var shape: String { "pytest, unittest or false" }

    static var form: ValueForm { .either([.choice(["pytest", "unittest"]), .boolean]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PythonTests? {
        switch node.scalarText {
        case "pytest": .pytest
        case "unittest": .unittest
        case "false": PythonTests.none
        default: decoder.mismatch(node, expected: shape)
        }
    }

    /// The module to run, or `nil` for nothing.
    var module: String? {
        switch self {
        case .pytest: "pytest"
        case .unittest: "unittest"
        case .none: nil
        }
    }
}

/// The folder of a virtual environment; false for none.
struct EnvironmentFolder: SettingValue {
    static var shape: String { "the path of a folder, or false" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> EnvironmentFolder? {
        guard let text = decoder.decode(String.self, from: node), !text.isEmpty, text != "true"
        else { return decoder.mismatch(node, expected: shape) }
        return EnvironmentFolder()
    }
}
