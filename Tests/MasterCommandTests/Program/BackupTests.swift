import MasterTesting
import Subprocess
import SystemPackage
import Testing

/// A copy of the store and the logs, made while the master runs as *Running a master* tells.
@Suite(.timeLimit(.minutes(1)))
struct BackupTests {
    private static let yaml = """
        schedulers: [schedulers.Triggerable: {name: other, builderNames: [one]}]
        builders:
          - {name: one, steps: [steps.ShellCommand: [echo, 'build number', !Property buildnumber]]}
          - name: slow
            steps: [steps.ShellCommand: [sh, -c, 'test -e "$1/go" || sleep 60', sh, !Property basedir]]
        """

    @Test func `a master that starts with a backup goes on from it`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            _ = try await program.runMerged(["start"]) { running in
                await running.transcript.wait(for: "info: ready: ")
                #expect(try await program.run("force", "one", "--wait").status == 0)
                #expect(try await program.run("force", "slow").status == 0)
                await running.transcript.wait(for: "slow #1 started")
                let copy = """
                    mkdir backup
                    sqlite3 .buildmaster/buildmaster.sqlite "VACUUM INTO 'backup/buildmaster.sqlite'"
                    cp -a .buildmaster/logs backup/
                    """
                let ended = try await Subprocess.run(
                    .name("sh"), arguments: ["-ec", copy],
                    workingDirectory: FilePath(program.folder), output: .discarded,
                    error: .string(limit: 4096))
                #expect(ended.terminationStatus.isSuccess, "\(ended.standardError)")
                #expect(try await program.run("force", "one", "--wait").status == 0)
                #expect(try await program.run("stop", "--now").status == 0)
            }
            // The build that was running then need not take as long again.
            try program.write("", to: "backup/go")
            _ = try await program.runMerged(["start", "--basedir", "backup"]) { running in
                await running.transcript.wait(for: "slow #2 build successful")
                let next = try await program.run("force", "one", "--wait", "--basedir", "backup")
                #expect(next.output == "one #2 build successful\n", "\(next)")
                #expect(try await program.run("stop", "--basedir", "backup").status == 0)
            }
            for number in 1...2 {
                let log = try await program.run("log", "one", "\(number)", "--basedir", "backup")
                #expect(log.output.contains("build number \(number)"), "\(log)")
            }
        }
    }
}
