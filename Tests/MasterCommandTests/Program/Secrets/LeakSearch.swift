import FoundationEssentials
import MasterTesting

/// Searches for any eight consecutive bytes of any form of a secret.
struct LeakSearch {
    private static let width = 8
    private var windows: Set<UInt64> = []
    private var short: [[UInt8]] = []

    init(for secret: PlantedSecret) {
        for needle in secret.needles {
            guard needle.count >= Self.width else {
                short.append(needle)
                continue
            }
            for start in 0...(needle.count - Self.width) {
                windows.insert(Self.word(needle[start..<start + Self.width]))
            }
        }
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The text around the first occurrence of a part of the secret, or `nil` if there is none.
    func leak(in bytes: [UInt8]) -> String? {
        var word: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            word = word << 8 | UInt64(byte)
            if index + 1 >= Self.width, windows.contains(word) {
                return Self.surroundings(of: index, in: bytes)
            }
        }
        for needle in short {
            if let range = bytes.firstRange(of: needle) {
                return Self.surroundings(of: range.lowerBound, in: bytes)
            }
        }
        return nil
    }

    private static func surroundings(of index: Int, in bytes: [UInt8]) -> String {
        let range = max(0, index - 120)..<min(bytes.count, index + 60)
        return "…" + String(decoding: bytes[range], as: UTF8.self) + "…"
    }

    /// The files below a folder that contain part of the secret in their content or name.
    func leaks(below folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).flatMap { path in
            let file = URL(filePath: "\(folder)/\(path)")
            let isFolder =
                try FileManager.default.attributesOfItem(atPath: file.path)[.type]
                as? FileAttributeType == .typeDirectory
            let content = isFolder ? [] : Array(try Data(contentsOf: file))
            return [leak(in: Array(path.utf8)), leak(in: content)].compactMap { leak in
                leak.map { "\(path): \($0)" }
            }
        }
    }
}
