import FoundationEssentials

/// A temporary folder for a test.
struct TemporaryFolder: Sendable {
    /// The receiver's address in the files of this package.
    static let receiver = "127.0.0.1:9980"

    /// The names of files left by builds.
    private static let products: Set = [".build", ".buildmaster", ".swiftpm"]

    let path: String

    /// Runs a closure with a new folder, which is removed afterwards.
    static func with<Value>(_ body: (TemporaryFolder) async throws -> Value) async throws -> Value {
        let path = FileManager.default.temporaryDirectory.path + "/examples-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        do {
            let value = try await body(TemporaryFolder(path: path))
            try FileManager.default.removeItem(atPath: path)
            return value
        } catch {
            try FileManager.default.removeItem(atPath: path)
            throw error
        }
    }

    /// Writes a file.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
    }

    /// Copies a file or folder from the checkout, without files left by builds.
    func copy(_ source: String, to name: String) throws {
        let from = "\(Checkout.folder)/\(source)"
        let to = "\(path)/\(name)"
        let files = FileManager.default
        guard from.isFolder else { return try files.copyItem(atPath: from, toPath: to) }
        try files.createDirectory(atPath: to, withIntermediateDirectories: true)
        for item in try Checkout.names(in: source) where !Self.products.contains(item) {
            try copy("\(source)/\(item)", to: "\(name)/\(item)")
        }
    }

    /// Changes the receiver in a file, for example to `127.0.0.1:40001`.
    func point(_ name: String, to address: String) throws {
        let file = URL(filePath: "\(path)/\(name)")
        let text = try String(contentsOf: file, encoding: .utf8)
        try write(text.replacing(Self.receiver, with: address), to: name)
    }
}

extension String {
    /// Whether the path is a folder.
    fileprivate var isFolder: Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: self, isDirectory: &isFolder) && isFolder
    }
}
