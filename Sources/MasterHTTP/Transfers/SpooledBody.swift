internal import Dispatch
internal import Glibc

/// A body of any size, written to a temporary file and sent from it.
///
/// The file is already unlinked, so it is deleted with the last reference to the body, however the
/// process ends.
public final class SpooledBody: Sendable {
    private let descriptor: Int32
    private let folder: String
    private let queue = DispatchQueue(label: "buildmaster.spool")

    /// Creates an empty body.
    ///
    /// - Parameter folders: The folders for the file; the first one that works is used. By default
    ///   `TMPDIR`, `/var/tmp` and `/tmp`.
    /// - Throws: `HTTPError` with the code `spoolFailed` if the file cannot be created in any
    ///   folder.
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

    /// The system's folders for temporary files, starting with those for large files.
    public static var folders: [String] {
        let own = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
        return [own, "/var/tmp", "/tmp"].compactMap(\.self).filter { !$0.isEmpty }
    }

    /// Appends bytes; calls must not overlap.
    ///
    /// - Throws: `HTTPError` with the code `spoolFailed`, for example if the disk is full.
    public func append(_ bytes: [UInt8]) async throws(HTTPError) {
        let fault: HTTPError? = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.write(bytes)) }
        }
        if let fault { throw fault }
    }

    /// The number of bytes; not reliable during `append`.
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

    /// Creates a file that nobody else can open, and unlinks it.
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
    /// Bodies are equal only if they are identical.
    public static func == (one: SpooledBody, other: SpooledBody) -> Bool { one === other }

    /// Hashes the identity of the body.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}
