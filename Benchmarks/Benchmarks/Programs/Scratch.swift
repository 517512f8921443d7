import Foundation

/// A temporary folder for one benchmark.
///
/// It is kept until all benchmarks have finished: a file system that has just deleted thousands of
/// files is slow to create new ones, which would distort the next benchmark.
struct Scratch: Sendable {
    private static let root =
        FileManager.default.temporaryDirectory.path + "/benchmarks-\(UUID())"

    let path: String

    /// Creates a folder.
    init() throws {
        path = "\(Self.root)/\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Removes all folders.
    static func removeAll() throws {
        guard FileManager.default.fileExists(atPath: root) else { return }
        try FileManager.default.removeItem(atPath: root)
    }

    /// Writes a file and returns its path.
    func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }
}
