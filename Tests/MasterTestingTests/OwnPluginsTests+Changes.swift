import FoundationEssentials
import MasterKit
import MasterRuntimeTesting
import StandardPlugins
import Testing

/// Change sources, and schedulers.
extension OwnPluginsTests {
    /// Changes of a branch, each of a file of its own.
    private static let changes = ["a.c", "b.txt", "c.c", "d.c"].map {
        Change(
            author: "Ann", comments: $0, files: [$0], sourceStamp: SourceStamp(branch: "main"),
            when: Date(timeIntervalSince1970: 1_700_000_000))
    }

    static let changeSources: [String: Check] = [
        "changes.GitPoller": {
            try await withTemporaryFolder { folder in
                let script = """
                    export GIT_CONFIG_GLOBAL=/dev/null
                    set -e; git init -q -b main source; cd source
                    for i in 0 1 2 3; do
                      git -c user.name=A -c user.email=a@b commit -q --allow-empty -m $i
                    done
                    git rev-parse HEAD~3
                    """
                var first = ""
                let shell = Command.Shell(.script(script), in: folder.path)
                let result = try await folder.localWorker.run(.shell(shell)) { update in
                    guard case .output(.stdout, let bytes) = update.content else { return }
                    first += String(decoding: bytes, as: UTF8.self).filter { !$0.isNewline }
                }
                #expect(result.isSuccess)
                let source = "\(folder.path)/source"
                try await ChangeSourceContract(
                    GitPoller.self, ["repourl": .string(source)], changes: 3,
                    state: [
                        "repository": .string(source), "heads": ["refs/heads/main": .string(first)],
                    ], worker: folder.localWorker
                ) { "\(folder.path)/\(UInt64.random(in: 0...UInt64.max))" }.verify()
            }
        }
    ]

    static let schedulers: [String: Check] = [
        "schedulers.AnyBranchScheduler": {
            try await SchedulerContract(
                AnyBranchScheduler.self, ["branches": ["main"]], builds: 4,
                state: ["seen": 0, "collected": []], changes: changes
            ).verify()
        },
        "schedulers.SingleBranchScheduler": {
            try await SchedulerContract(
                SingleBranchScheduler.self, ["branch": "main", "fileIsImportant": "*.c"],
                builds: 3, state: ["seen": 0, "collected": []], changes: changes
            ).verify()
        },
        "schedulers.Dependent": {
            let buildsets = [Results.success, .failure, .warnings, .success].enumerated().map {
                ScheduledBuildset(
                    id: $0.offset + 1, results: $0.element,
                    sourceStamps: [SourceStamp(branch: "b\($0.offset)")])
            }
            try await SchedulerContract(
                Dependent.self, ["upstream": "other"], builds: 3, state: ["next": 1, "open": []],
                buildsets: buildsets
            ).verify()
        },
        "schedulers.ForceScheduler": {
            try await SchedulerContract(ForceScheduler.self, builds: 0).verify()
        },
        "schedulers.Nightly": {
            try await SchedulerContract(
                Nightly.self, ["hour": 3, "timezone": "Europe/Berlin"], builds: 3
            ).verify()
            try await SchedulerContract(
                Nightly.self, ["hour": 3, "onlyIfChanged": true], builds: 1,
                state: ["last_ms": 0, "built": true, "seen": 0, "collected": []],
                changes: changes
            ).verify()
        },
        "schedulers.Periodic": {
            try await SchedulerContract(
                Periodic.self, ["periodicBuildTimer": "1h"], builds: 3
            ).verify()
        },
        "schedulers.Triggerable": {
            try await SchedulerContract(Triggerable.self, builds: 0).verify()
        },
    ]
}
