/// The credentials in a `.netrc` file, in the format used by `ftp`, `curl` and Python's `netrc`.
struct Netrc {
    /// The credentials for one host, or the default ones.
    struct Entry: Equatable {
        /// The host, or `nil` for the default entry.
        let host: String?
        var login = ""
        var password = ""
    }

    private(set) var entries: [Entry] = []

    /// A syntax error; its message does not quote the file.
    struct Fault: Error {
        let line: Int
        let message: String
    }

    /// Parses `machine NAME login USER password PASSWORD` and `default …`; skips `macdef`.
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

    /// The first entry for a host, or else the default entry.
    func entry(for host: String) -> Entry? {
        entries.first { $0.host == host.lowercased() } ?? entries.first { $0.host == nil }
    }
}

/// The tokens of a `.netrc` file.
private struct NetrcTokens {
    private var rest: Substring.UnicodeScalarView
    private(set) var line = 1

    init(_ text: String) {
        rest = text[...].unicodeScalars
    }

    /// The next token, unquoted; comments are skipped.
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

    /// The token required after another one.
    mutating func value(of token: String) throws(Netrc.Fault) -> String {
        // A value may begin with '#', which does not start a comment here.
        while let scalar = rest.first, Self.isSpace(scalar) { skip() }
        guard let scalar = rest.first else {
            throw Netrc.Fault(line: line, message: "the file ends after '\(token)'")
        }
        return scalar == "\"" ? try quoted() : plain()
    }

    /// Skips a macro, which ends at an empty line.
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
