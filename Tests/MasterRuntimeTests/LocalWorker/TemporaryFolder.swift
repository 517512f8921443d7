import FoundationEssentials
import MasterRuntime

/// A folder for one test, removed after it.
struct TemporaryFolder {
    let path: String

    static func with<Value>(_ body: (TemporaryFolder) async throws -> Value) async throws -> Value {
        let path = "/tmp/local-worker-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let folder = TemporaryFolder(path: path)
        do {
            let value = try await body(folder)
            try FileManager.default.removeItem(atPath: path)
            return value
        } catch {
            try FileManager.default.removeItem(atPath: path)
            throw error
        }
    }

    var worker: LocalWorker { LocalWorker(root: path) }

    func write(_ text: String, to name: String, isExecutable: Bool = false) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
        if isExecutable {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: "\(path)/\(name)")
        }
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: "\(path)/\(name)")), as: UTF8.self)
    }

    func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/\(name)")
    }
}
