import FoundationEssentials

/// The Python environment created by `.ci/python`.
enum PythonEnvironment {
    /// The environment does not exist.
    struct Missing: Error, CustomStringConvertible {
        let description =
            "this test needs Python with its packages in .build/python; .ci/python makes it"
    }

    /// The folder of this target's sources.
    static let sources = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The repository root.
    static let package = sources.deletingLastPathComponent().deletingLastPathComponent()

    /// The path of the interpreter.
    static func interpreter() throws -> String {
        let path = package.appending(path: ".build/python/bin/python").path
        let stamp = package.appending(path: ".build/python/installed.txt").path
        guard FileManager.default.isExecutableFile(atPath: path),
            FileManager.default.fileExists(atPath: stamp)
        else { throw Missing() }
        return path
    }

    /// The folder of files to send.
    static let fixtures = sources.appending(path: "Fixtures").path

    /// The file of users and passwords used by both sides.
    static let netrc = "\(fixtures)/netrc"

    /// The path of a script of this target.
    static func script(_ name: String) -> String {
        sources.appending(path: "Scripts/\(name)").path
    }
}
