import Glibc
import MasterKit
import Subprocess
import SystemPackage

/// A program from its start until it has been waited for and its session is empty.
struct RunningProgram: Sendable {
    let shell: Command.Shell
    let workdir: FilePath
    let environment: ChildEnvironment
    private let queue: OutputQueue
    private let sessions: LiveSessions
    private let started: ContinuousClock.Instant

    init(
        _ shell: Command.Shell,
        in workdir: FilePath,
        environment: ChildEnvironment,
        queue: OutputQueue,
        sessions: LiveSessions,
        started: ContinuousClock.Instant
    ) {
        self.shell = shell
        self.workdir = workdir
        self.environment = environment
        self.queue = queue
        self.sessions = sessions
        self.started = started
    }

    /// Runs the program to its end.
    ///
    /// swift-subprocess waits for the program when its closure has returned, so until then the
    /// number of the process, and of its group and session, cannot pass to a stranger.
    func run() async throws -> ProgramEnd {
        let result = try await start { processIdentifier, sources in
            let session = ProcessSession(leader: processIdentifier.value)
            return try await sessions.with(session) {
                try await OwnThread.run {
                    var pump = OutputPump(
                        session,
                        processDescriptor: processIdentifier.processDescriptor,
                        sources: sources,
                        queue: queue,
                        limits: shell,
                        started: started
                    )
                    let report = pump.run()
                    tell(report)
                    return report
                }
            }
        }
        let session = ProcessSession(leader: result.process)
        if result.report.survivors.isEmpty, session.hasGroup {
            tell(
                try await OwnThread.run {
                    var pump = OutputPump(leftBy: session, queue: queue, limits: shell)
                    return pump.run()
                }
            )
        }
        return ProgramEnd(ending: result.ending, timedOut: result.report.timedOut)
    }

    /// Says which processes could not be ended; without the program itself there is no result, and
    /// nobody waits for it any longer.
    private func tell(_ report: OutputPump.Report) {
        guard !report.survivors.isEmpty || !report.hasExited else { return }
        let words = CommandHeader.survivors(report.survivors)
        queue.put(.header(words), elapsed: .now - started)
        if !report.hasExited {
            queue.finish(.failure(CommandError(.system, String(words.dropLast()))))
        }
    }
}
