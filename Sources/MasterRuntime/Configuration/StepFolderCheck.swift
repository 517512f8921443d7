import MasterKit
import MasterYAML

/// Warns of builders whose steps would run in a folder that its author hardly wants: an empty one,
/// or one that other builders use at the same time.
struct StepFolderCheck {
    let decoder: SettingDecoder
    let workers: [WorkerDeclaration]
    /// Whether the file has schedulers, so that builds start by themselves.
    let hasSchedulers: Bool

    /// Checks builders, with the locations of their names.
    func check(_ builders: [(builder: BuilderConfiguration, place: SourceRange?)]) {
        warnOfEmptyFolders(builders)
        warnOfSharedFolder(builders)
    }

    /// Warns of builders that find nothing on a worker on another machine, because no step fetches
    /// sources.
    private func warnOfEmptyFolders(_ builders: [(BuilderConfiguration, SourceRange?)]) {
        let remote = Set(workers.filter { $0.remote != nil }.map(\.name))
        guard !remote.isEmpty else { return }
        var told: Set<SourceRange?> = []
        for (builder, range) in builders
        where !builder.steps.isEmpty && !builder.hasSources
            && builder.steps.contains(where: { $0.key.name != "Trigger" })
            && !builder.steps.contains(where: { $0.key.name.hasSuffix("Download") })
        {
            let others = (builder.workerNames ?? workers.map(\.name)).filter(remote.contains)
            guard let name = others.first, told.insert(range).inserted else { continue }
            decoder.warning(
                "on the worker '\(name)' its steps run in an empty folder, as none of them fetches "
                    + "sources; add a step steps.Git", at: range)
        }
    }

    /// Warns of builders of a service whose commands meet in the folder of the file.
    private func warnOfSharedFolder(
        _ builders: [(builder: BuilderConfiguration, place: SourceRange?)]
    ) {
        let isOneByOne = workers.contains { $0.remote == nil && $0.options.maxBuilds == 1 }
        guard hasSchedulers, !isOneByOne else { return }
        let steps = builders.lazy.flatMap(\.builder.steps).map { ($0.key, $0) }
        let oneOfEach = Dictionary(steps, uniquingKeysWith: { one, _ in one })
        let commands = Set(oneOfEach.filter(\.value.runsCommand).keys)
        let sharing = builders.filter { runs(commands, inFolderOfFile: $0.builder) }
        for (index, (builder, place)) in sharing.enumerated() {
            let other = sharing[..<index].first { !builder.excludes($0.builder) }
            guard let other else { continue }
            decoder.warning(
                "'\(other.builder.name)' and '\(builder.name)' run their commands in the folder of "
                    + "this file, maybe at the same time; give each a 'workdir' of its own, such as "
                    + "!Interpolate \"%(prop:builddir)s/build\", or '.' if that is meant",
                at: place)
            return
        }
    }

    private func runs(
        _ commands: Set<PluginKey>, inFolderOfFile builder: BuilderConfiguration
    ) -> Bool {
        guard builder.workdir == nil, !builder.hasSources else { return false }
        let local = workers.filter { $0.remote == nil }.map(\.name)
        let names = workers.isEmpty ? [WorkerCheck.localName] : local
        guard names.contains(where: { builder.workerNames?.contains($0) ?? true }) else {
            return false
        }
        return builder.steps.contains {
            $0.options.workdir == nil && commands.contains($0.key)
        }
    }
}

extension BuilderConfiguration {
    /// Whether the locks of the builders keep their builds on one worker from running at the same
    /// time.
    fileprivate func excludes(_ other: BuilderConfiguration) -> Bool {
        locks.contains { lock in
            other.locks.contains { $0.name == lock.name && !$0.fits(beside: [lock]) }
        }
    }
}

extension StepDeclaration {
    /// Whether the step is told to run a program.
    fileprivate var runsCommand: Bool {
        key.name != "MasterShellCommand"
            && type(of: plugin).descriptions.contains {
                $0.name == "command" || $0.name == "commands"
            }
    }
}
