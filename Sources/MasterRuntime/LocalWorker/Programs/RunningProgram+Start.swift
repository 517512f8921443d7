import Glibc
import MasterKit
import Subprocess
import SystemPackage

extension RunningProgram {
    /// How a program has ended, after it has been waited for.
    struct Outcome: Sendable {
        var process: pid_t
        var ending: CommandResult.Ending
        var report: OutputPump.Report
    }

    /// What a program may write before it has to wait for us: twice what is read at once.
    private static let pipeByteCount: CInt = 256 * 1024

    /// Starts the program, runs a function beside it, and waits for both.
    func start(
        beside body:
            @Sendable (ProcessIdentifier, [OutputPump.Source]) async throws ->
            OutputPump.Report
    ) async throws -> Outcome {
        let stdin = try await ProgramInput.open(shell.stdin)
        let stdout = try OwnedDescriptor.pipe(byteCount: Self.pipeByteCount)
        let stderr = try OwnedDescriptor.pipe(byteCount: Self.pipeByteCount)
        let sources = [
            OutputPump.Source(
                stream: .stdout,
                readEnd: stdout.readEnd,
                isWanted: shell.wantsStdout
            ),
            OutputPump.Source(
                stream: .stderr,
                readEnd: stderr.readEnd,
                isWanted: shell.wantsStderr
            ),
        ]
        do {
            let result = try await Subprocess.run(
                configuration,
                input: .fileDescriptor(stdin.descriptor, closeAfterSpawningProcess: false),
                output: .fileDescriptor(
                    stdout.writeEnd.descriptor,
                    closeAfterSpawningProcess: false
                ),
                error: .fileDescriptor(
                    stderr.writeEnd.descriptor,
                    closeAfterSpawningProcess: false
                )
            ) { execution in
                stdin.close()
                stdout.writeEnd.close()
                stderr.writeEnd.close()
                guard execution.processIdentifier.processDescriptor >= 0 else {
                    throw CommandError(
                        .system,
                        "this system cannot watch processes; Linux 5.4 or later can"
                    )
                }
                return try await body(execution.processIdentifier, sources)
            }
            return Outcome(
                process: result.processIdentifier.value,
                ending: .init(result.terminationStatus),
                report: result.closureResult
            )
        } catch let error as SubprocessError {
            let check = ProgramCheck(shell, in: workdir, environment: environment)
            throw try await OwnThread.run { check.explain(error) }
        }
    }

    private var configuration: Subprocess.Configuration {
        let arguments = shell.invocation.arguments
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)
        ]
        return Configuration(
            executable: executable(arguments[0]),
            arguments: Arguments(
                executablePathOverride: arguments[0],
                remainingValues: Array(arguments.dropFirst())
            ),
            environment: .custom(environment.terminated),
            workingDirectory: workdir,
            platformOptions: options
        )
    }

    private func executable(_ program: String) -> Executable {
        guard program.contains("/") else { return .name(program) }
        return .path(workdir.place(of: program))
    }
}

extension CommandResult.Ending {
    fileprivate init(_ status: TerminationStatus) {
        switch status {
        case .exited(let code): self = .exited(code: code)
        case .signaled(let signal): self = .killed(signal: signal)
        }
    }
}
