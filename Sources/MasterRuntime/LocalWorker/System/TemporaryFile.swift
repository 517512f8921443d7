import SystemPackage

/// A new file under a name that nobody else has, readable by this user only.
struct TemporaryFile: Sendable {
    let path: FilePath
    let descriptor: OwnedDescriptor

    /// Makes the file; its path begins with the one given.
    init(beside path: FilePath) throws(SystemFault) {
        (self.path, descriptor) = try POSIX.makeFile(beside: path)
    }

    /// Removes its name.
    func remove() throws(SystemFault) {
        try POSIX.removeFile(path)
    }
}
