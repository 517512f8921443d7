extension YAMLParser {
    /// Reads a file.
    ///
    /// Only an ordinary file is read, and never more than ``maximumSize`` of it; a pipe or a device is
    /// refused without waiting for it.
    ///
    /// - Parameters:
    ///   - path: Where the file is.
    ///   - name: The name to show to people; by default the path.
    /// - Returns: The document and the diagnostics.
    public static func parse(contentsOf path: String, name: String? = nil) -> Output {
        let name = name ?? path
        do throws(RegularFile.Fault) {
            return parse(bytes: try RegularFile.read(path, limit: maximumSize), name: name)
        } catch {
            return refusal(words(of: error), name: name)
        }
    }

    private static func words(of fault: RegularFile.Fault) -> String {
        switch fault {
        case .missing: "there is no such file; give its path with -c FILE"
        case .denied: "there is no permission to read the file; allow it with chmod +r"
        case .folder: "this is a folder; give the path of a file in it"
        case .special: "this is no ordinary file but a pipe, a socket or a device"
        case .tooLarge: "the file is larger than 16 MiB"
        case .nul: "a path cannot contain NUL"
        case .other(let words): "the file cannot be read: \(words)"
        }
    }
}
