import FoundationEssentials
import Subprocess
import SystemPackage

/// An executable of this package as it was built, started as a person would start it.
struct BuiltProgram: Sendable {
    /// How a run of a program ended.
    struct Ended: Sendable {
        /// The exit status, or the number of the signal that ended it with a minus.
        let status: Int32
        let output: String
        let error: String
    }

    /// The master with the standard plugins.
    static let buildmaster = BuiltProgram(name: "buildmaster")

    /// The folder of the test bundle, where all products are.
    private static let products: String = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        return URL(filePath: bundle ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    }()

    let name: String

    /// Where the executable is.
    var path: String { "\(Self.products)/\(name)" }

    /// Whether the package has such an executable.
    var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// Runs the program to its end.
    func run(_ arguments: [String], in folder: String) async throws -> Ended {
        try await Self.run(.path(FilePath(path)), arguments, in: folder)
    }

    /// Runs any executable to its end, without colours and without a proxy for this machine.
    static func run(
        _ executable: Executable, _ arguments: [String], in folder: String
    ) async throws -> Ended {
        let outcome = try await Subprocess.run(
            executable, arguments: Arguments(arguments),
            environment: .inherit.updating([
                "GITHUB_ACTIONS": nil, "LC_ALL": "C.UTF-8", "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
            ]),
            workingDirectory: FilePath(folder), input: .none, output: .string(limit: 8 << 20),
            error: .string(limit: 8 << 20))
        let status: Int32 =
            switch outcome.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): -signal
            }
        return Ended(
            status: status, output: outcome.standardOutput, error: outcome.standardError)
    }
}
