import CProcess
import Glibc
import MasterKit
import SystemPackage

/// Explains why a program cannot be started.
struct ProgramCheck: Sendable {
    private let program: String
    private let workdir: FilePath
    private let path: String
    private let byteCount: Int

    /// The default search path without `PATH`, as in the C library.
    private static let usualPath = "/bin:/usr/bin"

    init(_ shell: Command.Shell, in workdir: FilePath, environment: ChildEnvironment) {
        let arguments = shell.invocation.arguments
        program = arguments.first ?? ""
        self.workdir = workdir
        path = environment["PATH"] ?? Self.usualPath
        byteCount =
            arguments.reduce(0) { $0 + $1.utf8.count + 1 }
            + environment.terminated.reduce(0) { $0 + $1.count }
    }

    /// Rejects what cannot be passed to any program.
    static func checkTexts(of shell: Command.Shell) throws(CommandError) {
        guard let program = shell.invocation.arguments.first, !program.isEmpty else {
            throw CommandError(.invalid, "the command is empty; name a program to run")
        }
        for text in shell.invocation.arguments + [shell.workdir] where text.utf8.contains(0) {
            throw CommandError(
                .invalid,
                "an argument or the workdir of \(program) contains a zero byte, which no program "
                    + "can be given; remove it"
            )
        }
        for (name, value) in shell.environment {
            let first = name.utf8.first ?? UInt8(ascii: "0")
            let isName = !(0x30...0x39).contains(first) && !name.utf8.contains(UInt8(ascii: "="))
            guard isName, !name.utf8.contains(0), value?.utf8.contains(0) != true else {
                throw CommandError(
                    .invalid,
                    "the variable \"\(name)\" cannot be set: a name is not empty, begins with no "
                        + "digit and has no \"=\", and neither name nor value has a zero byte"
                )
            }
        }
    }

    /// The paths at which the program may be, in order; relative ones refer to the workdir.
    var candidates: [[UInt8]] {
        if program.contains("/") { return [Array(program.utf8)] }
        return path.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { Array($0.isEmpty ? "."[...].utf8 : $0) + Array("/\(program)".utf8) }
    }

    /// Determines why starting a program failed.
    func explain(_ failure: NewProcess.Failure) -> CommandError {
        let fault = failure.fault
        switch (failure.stage, fault.number) {
        case (PROCESS_MARK, _):
            return CommandError(
                .noResources,
                "\(program) cannot be started: its limits cannot be set (\(fault)); raise the hard "
                    + "limits on file locks and open files (ulimit -H -x -n)",
                cause: fault
            )
        case (_, E2BIG):
            return CommandError(
                .argumentsTooLong,
                "\(program) cannot be given its arguments and environment: \(byteCount) bytes, or "
                    + "one of them over 128 KiB, are more than the system passes on; "
                    + "put them into a file",
                cause: fault
            )
        case (PROCESS_CREATE, EINVAL), (PROCESS_CREATE, ENOSYS):
            return CommandError(
                .system, "this system cannot watch processes; Linux 5.4 or later can",
                cause: fault)
        case (PROCESS_CREATE, _), (_, EAGAIN), (_, ENOMEM), (_, EMFILE), (_, ENFILE):
            return CommandError(
                .noResources,
                "\(program) cannot be started (\(fault)): the machine has no processes, memory or "
                    + "open files left for it; run fewer commands at once, or raise the limit",
                cause: fault
            )
        default:
            return workdirFault() ?? programFault(fault)
        }
    }

    private func workdirFault() -> CommandError? {
        let place = "\(workdir), the workdir of \(program),"
        do {
            let status = try POSIX.status(of: workdir, following: true)
            guard status.st_mode & S_IFMT == S_IFDIR else {
                return CommandError(.workdir, "\(place) is not a folder; change the workdir")
            }
        } catch let fault {
            return CommandError(
                .workdir,
                "the folder \(place) cannot be used (\(fault)); make it first, or change the "
                    + "workdir",
                cause: fault
            )
        }
        guard POSIX.isAccessible(workdir, for: X_OK) else {
            return CommandError(
                .workdir,
                "the folder \(place) cannot be entered: permission denied; change its permissions, or the workdir"
            )
        }
        return nil
    }

    private func programFault(_ fault: SystemFault) -> CommandError {
        let places = candidates.map { workdir.place(of: String(decoding: $0, as: UTF8.self)) }
        guard let found = places.first(where: { POSIX.isAccessible($0, for: F_OK) }) else {
            let place =
                program.contains("/")
                ? "there is nothing at \(workdir.place(of: program))"
                : "the program \(program) was not found in PATH (\(path))"
            return CommandError(
                .programNotFound, "\(place); install it, or correct its name",
                cause: fault
            )
        }
        let reason: String
        if isDirectory(found) {
            reason = "it is a folder; name a program in it"
        } else if !POSIX.isAccessible(found, for: X_OK) {
            reason = "it is not executable; run chmod +x on it"
        } else {
            reason =
                "the system refuses it (\(fault)); "
                + "a script needs a first line such as #!/bin/sh that names an interpreter which "
                + "is there, a program must be built for this machine"
        }
        return CommandError(
            .programNotExecutable, "the program \(found) cannot be run: \(reason)", cause: fault)
    }

    private func isDirectory(_ path: FilePath) -> Bool {
        POSIX.isAccessible(path.appending("."), for: F_OK)
    }
}
