import MasterKit
import SystemPackage

extension LocalWorker {
    /// Runs a command on files that needs nothing but the system; blocks the thread.
    func runFileCommand(
        _ command: Command,
        until stop: StopFlag
    ) throws -> CommandResult.Value {
        switch command {
        case .mkdir(let folder):
            try FileTree.make(path(folder.path))
        case .rmdir(let folder):
            let entry = path(folder.path).entryWithoutLinks
            try checkIsInside(entry, of: folder.path, outside: folder.outside, to: "removed")
            try FileTree(stop).remove(entry)
        case .cpdir(let copy):
            let entry = path(copy.destination).entryWithoutLinks
            try checkIsInside(
                entry,
                of: copy.destination,
                outside: copy.outside,
                to: "overwritten"
            )
            try FileTree(stop).copy(path(copy.source).withoutLinks, to: entry)
        case .stat(let stat):
            return .status(try FileLookup.status(of: path(stat.path)))
        case .glob(let glob):
            return .names(try FileLookup.glob(glob.pattern, from: root))
        case .listdir(let folder):
            return .names(try FileLookup.names(in: path(folder.path)))
        case .shell, .uploadFile, .downloadFile:
            preconditionFailure("commands that run in pieces never come here")
        }
        return .nothing
    }

    private func checkIsInside(
        _ entry: FilePath,
        of path: String,
        outside: Bool,
        to verb: String
    ) throws(CommandError) {
        guard !outside, !entry.isBelow(FilePath(root).withoutLinks) else { return }
        throw CommandError(
            .outsideRoot,
            "\(path) is not \(verb): it leads to \(entry), which is not below \(root); "
                + "correct the path, or say outside: true if it is meant"
        )
    }
}
