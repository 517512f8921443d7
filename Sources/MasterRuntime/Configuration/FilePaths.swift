internal import FoundationEssentials

/// Absolute paths without `.` and `..`.
enum FilePaths {
    /// A path, taken from the current folder when it is relative.
    static func absolute(_ path: String) -> String {
        absolute(path, in: FileManager.default.currentDirectoryPath)
    }

    /// A path, taken from a folder when it is relative.
    static func absolute(_ path: String, in folder: String) -> String {
        let whole = path.hasPrefix("/") ? path : folder + "/" + path
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." {
                _ = parts.popLast()
            } else {
                parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// A name as one part of a path: whatever is no letter, digit, `.`, `-` or `_` is encoded.
    static func component(_ name: String) -> String {
        let encoded = name.unicodeScalars.map { scalar in
            let isPlain =
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "-_.".unicodeScalars.contains(scalar)
            return isPlain ? String(scalar) : String(scalar).utf8.map(percentEncoded).joined()
        }.joined()
        return encoded.hasPrefix(".") ? "%2e" + encoded.dropFirst() : encoded
    }

    private static func percentEncoded(_ byte: UInt8) -> String {
        "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
