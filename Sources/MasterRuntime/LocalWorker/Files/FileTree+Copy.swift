import Glibc
import MasterKit
import SystemPackage

extension FileTree {
    private typealias Pair = (source: FilePath, destination: FilePath)

    /// Copies a folder; what stands at the destination is replaced.
    ///
    /// The copy is made beside the destination and takes its place when it is complete.
    func copy(_ source: FilePath, to destination: FilePath) throws {
        try checkCanCopy(source, to: destination)
        try Self.makeParent(of: destination)
        let unfinished = FilePath("\(destination).copying-\(getpid())")
        try remove(unfinished)
        do {
            try copyEntries(of: source, to: unfinished)
            try remove(destination)
            try telling("the folder \(destination) cannot be made") { () throws(SystemFault) in
                try POSIX.rename(unfinished, to: destination)
            }
        } catch {
            discard(unfinished)
            throw error
        }
    }

    /// Removes what is of no use; what has failed before is the error to tell.
    private func discard(_ unfinished: FilePath) {
        do {
            try FileTree(StopFlag()).remove(unfinished)
        } catch {
            // The next copy to this place tries again, and says why it cannot be made.
        }
    }

    private func checkCanCopy(_ source: FilePath, to destination: FilePath) throws(CommandError) {
        guard try Self.kind(of: source) == S_IFDIR else {
            throw CommandError(
                .notFound,
                "the folder \(source) cannot be copied: there is no folder; "
                    + "check the path"
            )
        }
        guard source != destination, !destination.isBelow(source),
            !source.isBelow(destination)
        else {
            throw CommandError(
                .invalid,
                "\(source) cannot be copied to \(destination): one is within the other; "
                    + "choose another destination"
            )
        }
    }

    private func copyEntries(of source: FilePath, to destination: FilePath) throws {
        var waiting: [Pair] = [(source, destination)]
        var made: [Pair] = []
        while let folder = waiting.popLast() {
            try telling("the folder \(folder.destination) cannot be made") {
                () throws(SystemFault) in try POSIX.makeFolder(folder.destination, 0o700)
            }
            made.append(folder)
            for name in try FileLookup.entries(in: folder.source) {
                try stop.check()
                let entry = (folder.source.appending(name), folder.destination.appending(name))
                if try !copyEntry(entry) { waiting.append(entry) }
            }
        }
        for folder in made.reversed() {
            try telling("\(folder.destination) cannot be given its permissions") {
                () throws(SystemFault) in
                let file = try POSIX.open(folder.destination, O_RDONLY)
                try POSIX.pass(
                    try POSIX.status(of: folder.source, following: true),
                    to: file.number
                )
            }
        }
    }

    /// Copies what is no folder.
    ///
    /// - Returns: Whether it was copied; not if it is a folder.
    private func copyEntry(_ entry: Pair) throws(CommandError) -> Bool {
        try telling("\(entry.source) cannot be copied to \(entry.destination)") {
            () throws(SystemFault) in
            switch try POSIX.status(of: entry.source, following: false).st_mode & S_IFMT {
            case S_IFDIR:
                return false
            case S_IFLNK:
                let target = try POSIX.target(ofLink: entry.source)
                try POSIX.makeLink(entry.destination, to: target)
            case S_IFREG:
                try copyFile(entry)
            default:
                throw SystemFault(EINVAL)
            }
            return true
        }
    }

    private func copyFile(_ entry: Pair) throws(SystemFault) {
        let input = try POSIX.open(entry.source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let output = try POSIX.open(entry.destination, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        try POSIX.copy(input.number, to: output.number)
        try POSIX.pass(try POSIX.status(of: input.number), to: output.number)
    }

    private func telling<Value>(
        _ task: String,
        _ body: () throws(SystemFault) -> Value
    ) throws(CommandError) -> Value {
        do {
            return try body()
        } catch let fault {
            throw CommandError(task, fault)
        }
    }
}
