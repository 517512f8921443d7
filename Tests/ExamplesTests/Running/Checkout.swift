import FoundationEssentials
import Subprocess
import Testing

/// The files of this package as they stand in its checkout.
enum Checkout {
    /// The top folder.
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The text of a file, by its path from the top folder.
    static func text(of path: String) throws -> String {
        try String(contentsOf: URL(filePath: "\(folder)/\(path)"), encoding: .utf8)
    }

    /// The lines of a file; one that ends with a line end has an empty one at its end.
    static func lines(of path: String) throws -> [Substring] {
        try text(of: path).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The names in a folder, sorted, by its path from the top folder.
    static func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(path)").sorted()
    }

    /// Every file that git tracks and that is there, by its path from the top folder.
    static func trackedFiles() async throws -> [String] {
        let listed = try await BuiltProgram.run(
            .name("git"), ["-c", "safe.directory=*", "ls-files", "-z"], in: folder)
        try #require(listed.status == 0, "\(listed.error)")
        return listed.output.split(separator: "\0").map(String.init)
            .filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    }
}
