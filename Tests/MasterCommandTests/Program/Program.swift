import FoundationEssentials
import Subprocess
import SystemPackage
import Testing

/// The built program in its own folder, run as a user would run it.
struct Program: Sendable {
    /// The outcome of a run.
    struct Ended: Sendable {
        /// The exit status, or the negated number of the signal that terminated the program.
        let status: Int32
        let output: String
        let error: String
    }

    /// The executable, in the folder of the test bundle.
    static let path = path(of: "buildmaster")

    /// A product of this package next to the test bundle.
    static func path(of product: String) -> String {
        let bundle =
            CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(filePath: bundle).deletingLastPathComponent().path + "/" + product
    }

    /// The working folder.
    let folder: String
    /// Environment variables other than `PATH`.
    var environment: [String: String] = [:]

    /// Runs a closure with a program in a new folder, which is removed afterwards.
    static func inFolder<Value>(
        _ files: [String: String] = [:], _ body: (Program) async throws -> Value
    ) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.path + "/command-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let program = Program(folder: folder)
        for (name, text) in files { try program.write(text, to: name) }
        do {
            let value = try await body(program)
            try FileManager.default.removeItem(atPath: folder)
            return value
        } catch {
            try FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    /// Writes a file in the folder.
    func write(_ text: String, to name: String) throws {
        let file = URL(filePath: folder + "/" + name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// Whether something is in the folder.
    func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: folder + "/" + name)
    }

    /// Runs the program until it exits.
    func run(_ arguments: String...) async throws -> Ended {
        try await run(arguments) { _ in }
    }

    /// Runs a closure while the program runs, and waits for both.
    func run(
        _ arguments: [String], executable: String = Program.path,
        _ body: (RunningProgram) async throws -> Void
    ) async throws -> Ended {
        let outcome = try await start(arguments, executable, error: .string(limit: 4 << 20), body)
        return Ended(status: outcome.0, output: outcome.1, error: outcome.2)
    }

    /// Runs the program like ``run(_:executable:_:)``, with standard error merged into the output.
    func runMerged(
        _ arguments: [String], executable: String = Program.path,
        _ body: (RunningProgram) async throws -> Void
    ) async throws -> Ended {
        let outcome = try await start(arguments, executable, error: .combinedWithOutput, body)
        return Ended(status: outcome.0, output: outcome.1, error: "")
    }

    private func start<Error: ErrorOutputProtocol>(
        _ arguments: [String], _ executable: String, error: Error,
        _ body: (RunningProgram) async throws -> Void
    ) async throws -> (Int32, String, Error.OutputType) {
        let transcript = Transcript()
        let outcome = try await Subprocess.run(
            .path(FilePath(executable)), arguments: Arguments(arguments),
            environment: .custom(variables), workingDirectory: FilePath(folder),
            input: .none, output: .sequence, error: error
        ) { execution in
            async let reading: Void = transcript.read(execution.standardOutput)
            try await body(
                RunningProgram(transcript: transcript) { try execution.send(signal: $0) })
            try await reading
        }
        let status: Int32 =
            switch outcome.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): -signal
            }
        return (status, transcript.text, outcome.standardError)
    }

    private var variables: [Environment.Key: String] {
        var variables = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"]
        variables.merge(environment) { $1 }
        return Dictionary(
            uniqueKeysWithValues: variables.compactMap { name, value in
                Environment.Key(rawValue: name).map { ($0, value) }
            })
    }
}

/// A running program.
struct RunningProgram: Sendable {
    /// Its standard output so far.
    let transcript: Transcript
    /// Sends a signal to it.
    let send: @Sendable (Signal) throws -> Void
}
