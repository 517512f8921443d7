import MasterKit
import SystemPackage

/// The commands that need nothing but the system; each blocks its thread.
extension LocalWorker {
    func make(_ folder: Command.MakeDirectory) throws -> CommandResult.Value {
        try FileTree.make(path(folder.path))
        return .nothing
    }

    func remove(
        _ folder: Command.RemoveDirectory,
        until stop: StopFlag
    ) throws -> CommandResult.Value {
        let entry = path(folder.path).entryWithoutLinks
        try checkIsInside(entry, of: folder.path, outside: folder.outside, to: "removed")
        try FileTree(stop).remove(entry)
        return .nothing
    }

    func copy(
        _ copy: Command.CopyDirectory,
        until stop: StopFlag
    ) throws -> CommandResult.Value {
        let entry = path(copy.destination).entryWithoutLinks
        try checkIsInside(entry, of: copy.destination, outside: copy.outside, to: "overwritten")
        try FileTree(stop).copy(path(copy.source).withoutLinks, to: entry)
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
            "\"\(path)\" is not \(verb): it leads to \(entry), which is not below \(root); "
                + "correct the path, or say outside: true if it is meant"
        )
    }
}
