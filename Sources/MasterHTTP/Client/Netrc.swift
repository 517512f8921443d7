internal import Dispatch
internal import Glibc

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

extension HTTPClient {
    /// The maximum size of a `.netrc` file, in bytes.
    private static let netrcLimit = 1 << 20

    /// Looks up the user and password for an address in the file named by `NETRC`, or in
    /// `~/.netrc`.
    ///
    /// - Throws: `HTTPError` with the code `noCredentials` if the file does not exist, cannot be
    ///   read, or has no entry for the host.
    public func netrcCredentials(
        for address: HTTPAddress, hiding: HTTPHiding? = nil
    ) async throws(HTTPError) -> (user: String, password: String) {
        let shown = ShownAddress(address, hiding: hiding)
        let path = try netrcPath()
        let text: Result<String, HTTPError> = await withCheckedContinuation { continuation in
            FileReader.makeQueue().async {
                continuation.resume(
                    returning: Result { () throws(HTTPError) in
                        try Self.text(of: path)
                    })
            }
        }
        let entry = try Self.entry(
            for: address.host, shown: shown.isHidden ? shown.authority : address.host,
            in: text.get(), path)
        return (entry.login, entry.password)
    }

    private func netrcPath() throws(HTTPError) -> String {
        if let path = variable("NETRC") { return path }
        guard let home = variable("HOME") else {
            throw .noCredentials(
                "neither NETRC nor HOME is set, so there is no .netrc file to read")
        }
        return home + "/.netrc"
    }

    private func variable(_ name: String) -> String? {
        let value =
            if let environment = configuration.environment {
                environment[name]
            } else {
                unsafe getenv(name).map { unsafe String(cString: $0) }
            }
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func text(of path: String) throws(HTTPError) -> String {
        guard !path.utf8.contains(0) else {
            throw .noCredentials("the path of the .netrc file has a NUL byte")
        }
        let bytes: [UInt8]
        do throws(OpenFile.Fault) {
            let file = try OpenFile(path)
            guard file.length <= netrcLimit else {
                throw OpenFile.Fault(path: path, reason: "it has more than 1 MiB")
            }
            bytes = try file.content()
        } catch {
            throw .noCredentials("\(path) cannot be read: \(error.reason)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .noCredentials("\(path) is not UTF-8 text")
        }
        return text
    }

    private static func entry(
        for host: String, shown: String, in text: String, _ path: String
    ) throws(HTTPError) -> Netrc.Entry {
        let netrc: Netrc
        do throws(Netrc.Fault) {
            netrc = try Netrc(parsing: text)
        } catch {
            throw .noCredentials("line \(error.line) of \(path) is invalid: \(error.message)")
        }
        guard let entry = netrc.entry(for: host) else {
            throw .noCredentials(
                "\(path) has no entry for \(shown); add 'machine \(shown) login … password …'")
        }
        return entry
    }
}
