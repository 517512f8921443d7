internal import MasterKit
internal import MasterRuntime
internal import OrderedCollections

/// A command of the protocol with its arguments, ready to be sent.
///
/// A stock worker does what it is told: given a text instead of a list, it takes its letters one by
/// one and begins with `/`. Commands that remove or overwrite can therefore only be made from
/// ``OwnPath``.
struct WireCommand: Sendable {
    let name: String
    let arguments: OrderedDictionary<String, MessagePack>

    private init(_ name: String, _ arguments: OrderedDictionary<String, MessagePack>) {
        self.name = name
        self.arguments = arguments
    }

    static func shell(_ arguments: OrderedDictionary<String, MessagePack>) -> WireCommand {
        WireCommand("shell", arguments)
    }

    static func mkdir(_ path: String) -> WireCommand {
        WireCommand("mkdir", ["paths": .list([.text(path)])])
    }

    static func rmdir(_ path: OwnPath) -> WireCommand {
        WireCommand(
            "rmdir", ["paths": .list([.text(path.text)]), "logEnviron": false, "timeout": 1200])
    }

    static func cpdir(from source: String, to destination: OwnPath) -> WireCommand {
        WireCommand(
            "cpdir",
            [
                "from_path": .text(source), "to_path": .text(destination.text),
                "logEnviron": false, "timeout": 1200,
            ])
    }

    static func stat(_ path: String) -> WireCommand { WireCommand("stat", ["path": .text(path)]) }

    static func glob(_ pattern: String) -> WireCommand {
        WireCommand("glob", ["path": .text(pattern)])
    }

    static func listdir(_ path: String) -> WireCommand {
        WireCommand("listdir", ["path": .text(path)])
    }

    static func upload(_ path: String, blockSize: Int, maximum: Int?) -> WireCommand {
        WireCommand(
            "upload_file",
            [
                "path": .text(path), "blocksize": .int(Int64(blockSize)),
                "maxsize": maximum.map { .int(Int64($0)) } ?? nil, "keepstamp": false,
            ])
    }

    static func download(to path: String, blockSize: Int, permissions: UInt32) -> WireCommand {
        WireCommand(
            "download_file",
            [
                "path": .text(path), "blocksize": .int(Int64(blockSize)), "maxsize": nil,
                "mode": .int(Int64(permissions)),
            ])
    }
}

/// A path below a worker's base directory: what may be removed or overwritten there.
struct OwnPath: Sendable, Hashable {
    /// The absolute path, without `.` and `..`.
    let text: String

    /// Checks a path; this is the only place where one is made.
    ///
    /// - Parameters:
    ///   - path: An absolute path. Symbolic links in it are checked on the worker.
    ///   - verb: What is to be done with it, for messages.
    ///   - worker: The worker.
    /// - Throws: `CommandError` if it is not below the base directory of the worker.
    init(_ path: String, to verb: String, on worker: RemoteWorker) throws(CommandError) {
        let basedir = worker.info.basedir
        guard path.hasPrefix("/") else {
            throw CommandError(
                .invalid, "\(path.shortened) is not \(verb) because it is not an absolute path")
        }
        let absolute = FilePaths.absolute(path, in: "/")
        guard basedir.hasPrefix("/"), basedir != "/", absolute.hasPrefix(basedir + "/"),
            absolute.utf8.count > basedir.utf8.count + 1, !absolute.utf8.contains(0)
        else {
            throw CommandError(
                .outsideRoot, Self.outside(path, of: basedir, to: verb, absolute))
        }
        text = absolute
    }

    /// Why nothing is done with a path, as on this machine.
    ///
    /// - Parameters:
    ///   - path: The path.
    ///   - folder: The folder that it should be in.
    ///   - verb: What is not done.
    ///   - target: Where the path leads to.
    /// - Returns: The sentence.
    static func outside(
        _ path: String, of folder: String, to verb: String, _ target: String
    ) -> String {
        let leading = path == target ? "" : "; it leads to \(target)"
        let place =
            if target == folder {
                "is the folder of builds and is"
            } else if folder.hasPrefix(target == "/" ? target : target + "/") {
                "holds the folder of builds and is"
            } else {
                "is outside of \(folder) and"
            }
        return "\(path) \(place) not \(verb)\(leading); correct the path"
    }
}

/// What identifies the processes of a worker's commands, also after the connection is lost.
///
/// A stock worker lets a command run on when its connection is lost, and cannot be asked for it. All
/// processes of a command inherit a variable that begins with a text of the worker.
struct CommandMark: Sendable {
    static let variable = "BUILDMASTER_WORKER"

    let basedir: String

    /// The value of the variable for one command; its program adds its process number.
    func value(_ command: String) -> String { "\(basedir);\(command);" }

    /// What the environment of each process of the worker's commands contains.
    var ofAll: String { "\(Self.variable)=\(basedir);" }

    /// What the environment of each process of one command contains.
    func of(_ command: String) -> String { "\(Self.variable)=\(value(command))" }

    /// Succeeds if there is a process whose environment contains `$1`.
    static let search = "grep -qsF -- \"$1\" /proc/[0-9]*/environ"

    /// Writes the processes of a command, whose environment contains `$1`, if its program has exited.
    ///
    /// It exits with 3 if the system does not tell.
    static let leftovers = """
        [ -r /proc/self/environ ] || exit 3
        state() {
          sed -n 's/^State:[[:space:]]*\\(.\\).*/\\1/p' "/proc/$1/status" 2>/dev/null
        }
        for place in $(grep -lsF -- "$1" /proc/[0-9]*/environ); do
          process=${place#/proc/}
          process=${process%/environ}
          case "$(state "$process")" in Z|X|'') continue;; esac
          program=$(tr '\\0' '\\n' 2>/dev/null <"$place" | sed -n 's/^\(variable)=.*;//p')
          case "$(state "${program:-self}")" in Z|X|'') ;; *) exit 0;; esac
          name=$(sed -n 's/^Name:[[:space:]]*//p' "/proc/$process/status" 2>/dev/null)
          echo "$process $name"
        done
        """

    /// Kills all processes whose environment contains `$1`, until there are none.
    ///
    /// It exits with 0 if there are none, 3 if the system does not tell, 1 if some remain.
    static let sweep = """
        [ -r /proc/self/environ ] || exit 3
        round=0
        while [ "$round" -lt 50 ]; do
          found=
          for place in $(grep -lsF -- "$1" /proc/[0-9]*/environ); do
            process=${place#/proc/}
            process=${process%/environ}
            state=$(sed -n 's/^State:[[:space:]]*\\(.\\).*/\\1/p' "/proc/$process/status" 2>/dev/null)
            case "$state" in Z|X|'') continue;; esac
            found="$found $process"
          done
          [ -z "$found" ] && exit 0
          echo "ended$found"
          kill -KILL $found 2>/dev/null
          round=$((round + 1))
          sleep 0.1
        done
        exit 1
        """
}
