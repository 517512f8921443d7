import FoundationEssentials

/// A new folder for the files of a test.
struct SecretFiles: Sendable {
    let path: String

    /// Runs a closure with a private folder, which is removed afterwards.
    static func with<Value>(_ body: (SecretFiles) async throws -> Value) async throws -> Value {
        let files = SecretFiles(path: FileManager.default.temporaryDirectory.path + "/\(UUID())")
        try files.makeFolder("")
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(files))
        } catch {
            outcome = .failure(error)
        }
        try FileManager.default.removeItem(atPath: files.path)
        return try outcome.get()
    }

    func makeFolder(_ name: String, mode: Int = 0o700) throws {
        try FileManager.default.createDirectory(
            atPath: path + "/" + name, withIntermediateDirectories: true)
        try setMode(mode, of: name)
    }

    func write(_ text: String, to name: String, mode: Int = 0o600) throws {
        try write(Array(text.utf8), to: name, mode: mode)
    }

    func write(_ bytes: [UInt8], to name: String, mode: Int = 0o600) throws {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
        try setMode(mode, of: name)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: path + "/" + name, withDestinationPath: target)
    }

    func setMode(_ mode: Int, of name: String) throws {
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: path + "/" + name)
    }
}
