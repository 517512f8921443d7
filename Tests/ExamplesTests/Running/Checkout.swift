import FoundationEssentials
import Subprocess
import Testing

/// The files in this package's checkout.
enum Checkout {
    /// The repository root.
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The example whose plugins have to be built before its file can be checked.
    static let loadedExample = "CustomPlugin"

    /// Reads a file; the path is relative to the repository root.
    static func text(of path: String) throws -> String {
        try String(contentsOf: URL(filePath: "\(folder)/\(path)"), encoding: .utf8)
    }

    /// Reads the lines of a file; a final line break yields an empty last line.
    static func lines(of path: String) throws -> [Substring] {
        try text(of: path).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The sorted names in a folder; the path is relative to the repository root.
    static func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(path)").sorted()
    }

    /// The paths of all existing files tracked by git, relative to the repository root.
    static func trackedFiles() async throws -> [String] {
        let listed = try await BuiltProgram.run(
            .name("git"), ["-c", "safe.directory=*", "ls-files", "-z"], in: folder)
        try #require(listed.status == 0, "\(listed.error)")
        return listed.output.split(separator: "\0").map(String.init)
            .filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    }
}
