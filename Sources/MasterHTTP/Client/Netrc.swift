/// The credentials of a `.netrc` file, in the format of `ftp`, `curl` and Python's `netrc`.
struct Netrc {
    /// What the file says of one host, or of all others.
    struct Entry: Equatable {
        /// The host; `nil` for all that have no entry of their own.
        let host: String?
        var login = ""
        var password = ""
    }

    private(set) var entries: [Entry] = []

    /// What is wrong with a file; shows nothing of it.
    struct Fault: Error {
        let line: Int
        let message: String
    }

    /// Reads `machine NAME login USER password PASSWORD`, `default …`, and passes over `macdef`.
    init(parsing text: String) throws(Fault) {
        var tokens = NetrcTokens(text)
        while let token = try tokens.next() {
            switch token {
            case "machine": entries.append(Entry(host: Self.host(try tokens.value(of: token))))
            case "default": entries.append(Entry(host: nil))
            case "macdef": tokens.skipToEmptyLine()
            case "login", "user": try set(\.login, to: try tokens.value(of: token), tokens.line)
            case "password": try set(\.password, to: try tokens.value(of: token), tokens.line)
            case "account": _ = try tokens.value(of: token)
            default:
                throw Fault(
                    line: tokens.line,
                    message: "unknown word; expected machine, default, login, password, account or "
                        + "macdef (quote a password that has spaces)")
            }
        }
    }

    private static func host(_ name: String) -> String {
        InternationalName.asciiIfPossible(name).lowercased()
    }

    private mutating func set(
        _ part: WritableKeyPath<Entry, String>, to value: String, _ line: Int
    ) throws(Fault) {
        guard !entries.isEmpty else {
            throw Fault(line: line, message: "login or password before any 'machine'")
        }
        entries[entries.count - 1][keyPath: part] = value
    }

    /// The first entry for a host, or else the one for all others.
    func entry(for host: String) -> Entry? {
        entries.first { $0.host == host.lowercased() } ?? entries.first { $0.host == nil }
    }
}

/// The words of a `.netrc` file.
private struct NetrcTokens {
    private var rest: Substring.UnicodeScalarView
    private(set) var line = 1

    init(_ text: String) {
        rest = text[...].unicodeScalars
    }

    /// The next word, without its quotes; comments are passed over.
    mutating func next() throws(Netrc.Fault) -> String? {
        while let scalar = rest.first {
            switch scalar {
            case _ where Self.isSpace(scalar): skip()
            case "#": while let next = rest.first, next != "\n" { skip() }
            case "\"": return try quoted()
            default: return plain()
            }
        }
        return nil
    }

    /// The word that must follow another one.
    mutating func value(of token: String) throws(Netrc.Fault) -> String {
        // A value may begin with '#', which does not start a comment there.
        while let scalar = rest.first, Self.isSpace(scalar) { skip() }
        guard let scalar = rest.first else {
            throw Netrc.Fault(line: line, message: "the file ends after '\(token)'")
        }
        return scalar == "\"" ? try quoted() : plain()
    }

    /// Passes over a macro, which ends at an empty line.
    mutating func skipToEmptyLine() {
        var isEmpty = false
        while let scalar = rest.first {
            skip()
            guard scalar == "\n" else {
                isEmpty = isEmpty && scalar == "\r"
                continue
            }
            if isEmpty { return }
            isEmpty = true
        }
    }

    private mutating func plain() -> String {
        var word = String.UnicodeScalarView()
        while let scalar = rest.first, !Self.isSpace(scalar) {
            word.append(scalar)
            skip()
        }
        return String(word)
    }

    private mutating func quoted() throws(Netrc.Fault) -> String {
        let start = line
        skip()
        var word = String.UnicodeScalarView()
        while let scalar = rest.first {
            skip()
            if scalar == "\"" { return String(word) }
            if scalar == "\\", let escaped = rest.first {
                word.append(escaped)
                skip()
            } else {
                word.append(scalar)
            }
        }
        throw Netrc.Fault(line: start, message: "unterminated quote")
    }

    private mutating func skip() {
        if rest.removeFirst() == "\n" { line += 1 }
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        [" ", "\t", "\n", "\r"].contains(scalar)
    }
}
