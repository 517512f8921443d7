import Foundation

/// A folder that is there while something is measured.
struct Scratch: Sendable {
    let path: String

    /// Runs a body with a new folder.
    static func with<Value>(_ body: (Scratch) async throws -> Value) async throws -> Value {
        let path = FileManager.default.temporaryDirectory.path + "/benchmark-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(Scratch(path: path)))
        } catch {
            outcome = .failure(error)
        }
        try FileManager.default.removeItem(atPath: path)
        return try outcome.get()
    }

    /// Writes a file and returns its path.
    func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }
}
