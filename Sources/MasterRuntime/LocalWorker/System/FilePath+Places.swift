import SystemPackage

extension FilePath {
    /// The path as a command means it: relative ones start from this folder.
    func place(of path: String) -> FilePath {
        path.isEmpty || path == "." ? self : pushing(FilePath(path))
    }

    /// The path without symbolic links, `.` and `..`; of its end there need not be anything yet.
    var withoutLinks: FilePath {
        var known = self
        var rest: [Component] = []
        while true {
            if let resolved = POSIX.resolved(known) {
                return resolved.appending(rest.reversed()).lexicallyNormalized()
            }
            guard let last = known.lastComponent, known.removeLastComponent() else {
                return lexicallyNormalized()
            }
            rest.append(last)
        }
    }

    /// The place of the entry itself: links on the way to it are resolved, but not the entry.
    var entryWithoutLinks: FilePath {
        guard let name = lastComponent, name.kind == .regular else { return withoutLinks }
        return removingLastComponent().withoutLinks.appending(name)
    }

    /// Whether it is below a folder; both are without links.
    func isBelow(_ folder: FilePath) -> Bool {
        self != folder && starts(with: folder)
    }
}
