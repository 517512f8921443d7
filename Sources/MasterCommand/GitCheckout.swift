internal import FoundationEssentials

/// What a git checkout says about itself, read from its files without running git.
struct GitCheckout: Sendable, Hashable {
    /// The branch; `nil` when a revision was checked out by itself.
    let branch: String?
    /// The revision; `nil` before the first commit.
    let revision: String?
    /// The address of the remote `origin`, without user and password.
    let repository: String?

    /// Finds the checkout that a folder belongs to; `nil` when it belongs to none.
    init?(around folder: String) {
        guard let files = GitFiles(around: folder), let head = files.text("HEAD") else {
            return nil
        }
        let reference = "ref: "
        if head.hasPrefix(reference) {
            let name = String(head.dropFirst(reference.count))
            let heads = "refs/heads/"
            branch = name.hasPrefix(heads) ? String(name.dropFirst(heads.count)) : nil
            revision = files.text(name) ?? files.packedReference(name)
        } else {
            branch = nil
            revision = head
        }
        repository = files.originAddress.map { Self.withoutUser($0) }
    }

    /// An address with the user and password of its host taken away.
    static func withoutUser(_ address: String) -> String {
        var parts = address.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count > 2, parts[0].hasSuffix(":"), parts[1].isEmpty,
            let at = parts[2].lastIndex(of: "@")
        else { return address }
        parts[2] = parts[2][parts[2].index(after: at)...]
        return parts.joined(separator: "/")
    }
}

/// The files in which git keeps what it knows of a checkout.
private struct GitFiles {
    /// The folder of this checkout's own files, such as `HEAD`.
    let own: String
    /// The folder of the files that all checkouts of the repository share.
    let common: String

    init?(around folder: String) {
        var folder = folder
        while !FileManager.default.fileExists(atPath: folder + "/.git") {
            guard let slash = folder.lastIndex(of: "/") else { return nil }
            folder = String(folder[..<slash])
        }
        let link = "gitdir: "
        if let text = Self.read(folder + "/.git"), text.hasPrefix(link) {
            own = Self.path(String(text.dropFirst(link.count)), in: folder)
        } else {
            own = folder + "/.git"
        }
        common = Self.read(own + "/commondir").map { [own] in Self.path($0, in: own) } ?? own
    }

    /// The text of a file of the checkout, or else of the repository, without its line end.
    func text(_ name: String) -> String? {
        Self.read(own + "/" + name) ?? Self.read(common + "/" + name)
    }

    /// The revision of a reference that is kept in the one file for many.
    func packedReference(_ name: String) -> String? {
        guard let packed = Self.read(common + "/packed-refs") else { return nil }
        let line = packed.split(separator: "\n").first { $0.hasSuffix(" " + name) }
        return line?.split(separator: " ").first.map(String.init)
    }

    /// The address of the remote `origin` in the repository's settings.
    var originAddress: String? {
        guard let settings = Self.read(common + "/config") else { return nil }
        var isOrigin = false
        for line in settings.split(separator: "\n") {
            let line = line.trimmed
            if line.hasPrefix("[") {
                isOrigin = line == #"[remote "origin"]"#
            } else if isOrigin, let equals = line.firstIndex(of: "="),
                line[..<equals].trimmed == "url"
            {
                return String(line[line.index(after: equals)...].trimmed)
            }
        }
        return nil
    }

    private static func path(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : folder + "/" + path
    }

    /// The text of a file without white space around it; `nil` when there is none to read.
    private static func read(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let text = String(decoding: data, as: UTF8.self)[...].trimmed
        return text.isEmpty ? nil : String(text)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let start = drop(while: \.isWhitespace)
        return start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? ""
    }
}
