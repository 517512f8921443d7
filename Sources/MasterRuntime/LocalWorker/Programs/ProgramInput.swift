import Glibc
import MasterKit
import SystemPackage

/// What a program reads from its standard input.
enum ProgramInput {
    /// Opens `/dev/null`, or a file without a name that holds the bytes.
    ///
    /// A file needs nobody who feeds it, and a program that does not read it is no fault.
    static func open(_ bytes: [UInt8]) async throws -> OwnedDescriptor {
        if bytes.isEmpty { return try openNull() }
        return try await OwnThread.run { try openFile(with: bytes) }
    }

    private static func openNull() throws -> OwnedDescriptor {
        do {
            return try POSIX.open("/dev/null", O_RDONLY)
        } catch {
            throw CommandError(
                .noResources,
                "/dev/null cannot be opened as a command's input (\(error))",
                cause: error
            )
        }
    }

    private static func openFile(with bytes: [UInt8]) throws -> OwnedDescriptor {
        do {
            let file = try TemporaryFile(beside: "/tmp/buildmaster-stdin")
            try file.remove()
            try file.descriptor.descriptor.writeAll(bytes)
            try file.descriptor.descriptor.seek(offset: 0, from: .start)
            return file.descriptor
        } catch {
            throw CommandError(
                .system,
                "a command's input of \(bytes.count) bytes cannot be put into a file in /tmp "
                    + "(\(error)); make room there",
                cause: error
            )
        }
    }
}
