internal import Dispatch
internal import Glibc

/// A body of any size, written to a temporary file and sent from there.
///
/// The file has no name: it is gone when the last copy of the body is, however the process ends.
public final class SpooledBody: Sendable {
    private let descriptor: Int32
    private let folder: String
    private let queue = DispatchQueue(label: "buildmaster.spool")

    /// Makes an empty body.
    ///
    /// - Parameter folders: Where the file may be; the first folder that takes it is used. By
    ///   default `TMPDIR`, `/var/tmp` and `/tmp`.
    /// - Throws: `HTTPError` of code `spoolFailed` when no folder takes it.
    public init(in folders: [String] = SpooledBody.folders) throws(HTTPError) {
        var fault = "there is no folder for it"
        for folder in folders {
            guard let descriptor = Self.makeFile(in: folder) else {
                fault = unsafe String(cString: strerror(errno))
                continue
            }
            self.descriptor = descriptor
            self.folder = folder
            return
        }
        throw .spoolFailed(folders.joined(separator: " or "), reason: fault)
    }

    deinit {
        close(descriptor)
    }

    /// The folders of this machine for temporary files; large ones fit into the first.
    public static var folders: [String] {
        let own = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
        return [own, "/var/tmp", "/tmp"].compactMap(\.self).filter { !$0.isEmpty }
    }

    /// Adds bytes behind those that are there; one call after the other.
    ///
    /// - Throws: `HTTPError` of code `spoolFailed`, for example when the disk is full.
    public func append(_ bytes: [UInt8]) async throws(HTTPError) {
        let fault: HTTPError? = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.write(bytes)) }
        }
        if let fault { throw fault }
    }

    /// The number of bytes, while nobody appends.
    public var byteCount: Int {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Reads bytes at an offset before the end.
    func read(into room: UnsafeMutableRawBufferPointer, at offset: Int) throws(HTTPError) -> Int {
        while true {
            let count = unsafe pread(descriptor, room.baseAddress, room.count, offset)
            if count > 0 { return count }
            guard count < 0, errno == EINTR else {
                let reason =
                    unsafe count == 0 ? "it became shorter" : String(cString: strerror(errno))
                throw .spoolFailed(folder, reason: reason)
            }
        }
    }

    private func write(_ bytes: [UInt8]) -> HTTPError? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return .spoolFailed(folder, reason: unsafe String(cString: strerror(errno)))
            }
        }
        return nil
    }

    /// Makes a file that nobody else can open, and takes its name away.
    private static func makeFile(in folder: String) -> Int32? {
        guard !folder.utf8.contains(0) else { return nil }
        let path = "\(folder)/buildmaster-\(UInt64.random(in: .min ... .max))"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        unsafe unlink(path)
        return descriptor
    }
}

extension SpooledBody: Hashable {
    /// A body is equal to itself alone.
    public static func == (one: SpooledBody, other: SpooledBody) -> Bool { one === other }

    /// Feeds which body it is.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}
