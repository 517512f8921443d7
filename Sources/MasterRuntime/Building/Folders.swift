internal import FoundationEssentials

/// Folders that a master makes for itself.
enum Folders {
    /// Makes the folder of a file with those above it; one that is there is fine.
    static func makeFolder(ofFile path: String) throws {
        guard let end = path.lastIndex(of: "/") else { return }
        try makeFolder(String(path[..<end]))
    }

    /// Makes a folder with those above it; one that is there is fine.
    static func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }
}
