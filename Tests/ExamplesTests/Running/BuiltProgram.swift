import FoundationEssentials
import Subprocess
import SystemPackage

/// A built executable of this package, run as a user would run it.
struct BuiltProgram: Sendable {
    /// The outcome of a run.
    struct Ended: Sendable {
        /// The exit status, or the negated number of the signal that terminated the program.
        let status: Int32
        let output: String
        let error: String
    }

    /// The master with the standard plugins.
    static let buildmaster = BuiltProgram(name: "buildmaster")

    /// The folder of the test bundle, which contains all products.
    private static let products: String = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        return URL(filePath: bundle ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    }()

    let name: String

    /// The path of the executable.
    var path: String { "\(Self.products)/\(name)" }

    /// Whether the executable exists.
    var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// Runs the program until it exits.
    func run(_ arguments: [String], in folder: String) async throws -> Ended {
        try await Self.run(.path(FilePath(path)), arguments, in: folder)
    }

    /// Runs any executable until it exits, without color and without a proxy for local requests.
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
