import CLibCurl

/// A valid absolute `http` or `https` URL, parsed.
public struct HTTPAddress: Sendable, Hashable, CustomStringConvertible {
    /// Why a text is not a valid `http` or `https` URL.
    public struct Fault: Error, Hashable {
        /// `invalidURL`, `unsupportedScheme`, or `transferFailed` if there is no memory.
        public let code: HTTPError.Code
        /// What is wrong and how to fix it, phrased to follow "the URL".
        public let reason: String

        static let outOfMemory = Fault(code: .transferFailed, reason: "cannot be parsed: no memory")

        static func invalid(_ reason: String) -> Fault { Fault(code: .invalidURL, reason: reason) }
    }

    /// The user and password from the URL.
    struct UserInfo: Sendable, Hashable {
        let user: String
        let password: String
    }

    /// An example URL for error messages.
    public static let example = "http://127.0.0.1:9980/status"
    /// The maximum length of a URL, in bytes.
    static let longest = 64 << 10

    /// The URL as written.
    public let text: String
    /// The URL to request: encoded, without user, password and fragment.
    let encoded: String
    /// `http` or `https`.
    let scheme: String
    /// The host in lower case: international names in Punycode, an IPv6 address in brackets.
    let host: String
    /// The port, by default that of the scheme.
    let port: Int
    /// Scheme, host and port, such as `https://h:443`.
    public let origin: String
    let userInfo: UserInfo?

    /// Parses a URL.
    public init(_ text: String) throws(Fault) {
        if let plain = HTTPAddress(plain: text) {
            self = plain
        } else {
            try self.init(parsing: text)
        }
    }

    private init(
        text: String, encoded: String, scheme: String, host: String, port: Int, origin: String,
        userInfo: UserInfo?
    ) {
        self.text = text
        self.encoded = encoded
        self.scheme = scheme
        self.host = host
        self.port = port
        self.origin = origin
        self.userInfo = userInfo
    }

    /// Parses a URL by libcurl.
    init(parsing text: String) throws(Fault) {
        try Self.check(text)
        let url = try CurlURL()
        let result = url.set(
            text.quotedAsURL, flags: CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME)
        guard result == CURLUE_OK else { throw .invalid(Self.reason(for: result)) }
        try self.init(url, text: text)
    }

    private init(_ url: borrowing CurlURL, text: String) throws(Fault) {
        let scheme = url.part(CURLUPART_SCHEME) ?? ""
        guard scheme == "http" || scheme == "https" else { throw Self.unsupported(scheme) }
        guard let host = url.part(CURLUPART_HOST), !host.isEmpty else { throw Self.noHost }
        guard let port = url.part(CURLUPART_PORT, flags: CURLU_DEFAULT_PORT).flatMap({ Int($0) }),
            port > 0
        else { throw Self.invalidPort }
        let ascii = try InternationalName.ascii(host)
        if ascii != host { try url.set(CURLUPART_HOST, ascii) }
        userInfo = Self.userInfo(of: url)
        url.remove(CURLUPART_USER)
        url.remove(CURLUPART_PASSWORD)
        url.remove(CURLUPART_OPTIONS)
        url.remove(CURLUPART_FRAGMENT)
        guard let encoded = url.part(CURLUPART_URL) else { throw .outOfMemory }
        self.encoded = encoded
        self.scheme = scheme
        self.text = text
        self.host = ascii.lowercased()
        self.port = port
        origin = "\(scheme)://\(self.host):\(port)"
    }

    /// The URL as written.
    public var description: String { text }

    /// Host and port, for messages.
    var authority: String { "\(host):\(port)" }

    /// Removes the user and password from a URL.
    public static func withoutUser(_ url: String) -> String {
        guard let start = url.firstRange(of: "://")?.upperBound else { return url }
        let authority = url[start...].prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@") else { return url }
        return String(url[..<start] + url[url.index(after: at)...])
    }

    private static func userInfo(of url: borrowing CurlURL) -> UserInfo? {
        guard let user = url.part(CURLUPART_USER, flags: CURLU_URLDECODE) else { return nil }
        let password = url.part(CURLUPART_PASSWORD, flags: CURLU_URLDECODE) ?? ""
        return UserInfo(user: user, password: password)
    }
}

/// Redirects.
extension HTTPAddress {
    /// Resolves a `Location` header against this URL.
    func resolving(_ location: String) throws(Fault) -> HTTPAddress {
        guard location.utf8.count <= Self.longest else { throw Self.tooLong(location) }
        guard HTTPSyntax.isHeaderValue(location) else { throw Self.controlCharacter }
        // The same page; libcurl 7.88 would drop the last path component.
        if location.hasPrefix("#") { return self }
        let url = try CurlURL()
        let flags = CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME | CURLU_ALLOW_SPACE
        for text in [encoded, location.quotedAsURL] {
            let result = url.set(text, flags: flags)
            guard result == CURLUE_OK else { throw .invalid(Self.reason(for: result)) }
        }
        return try HTTPAddress(url, text: written(resolving: location))
    }

    /// The location as written, completed with the parts of this URL that it omits.
    private func written(resolving location: String) -> String {
        if location.firstRange(ofASCII: "://") != nil { return location }
        if location.hasPrefix("//") { return "\(scheme):\(location)" }
        let start = text.firstRange(ofASCII: "://").map { text.index($0, offsetBy: 3) }
        let origin =
            text[..<(start ?? text.startIndex)]
            + text[(start ?? text.startIndex)...].prefix { !"/?#".contains($0) }
        return origin + (location.hasPrefix("/") ? "" : "/") + location
    }

    /// Whether credentials given for the other URL may be sent to this one as well.
    ///
    /// They may if scheme, host and port are the same, or if the redirect goes from `http` on port
    /// 80 to `https` on port 443 of the same host.
    func mayKeepCredentials(of other: HTTPAddress) -> Bool {
        if origin == other.origin { return true }
        return host == other.host && other.scheme == "http" && other.port == 80
            && scheme == "https" && port == 443
    }
}

/// Validation errors. The rest of a URL may be secret, so they quote only its scheme.
extension HTTPAddress {
    private static let noHost = Fault.invalid("has no host; write an address such as \(example)")
    private static let invalidPort = Fault.invalid(
        "has an invalid port; a port is a number from 1 to 65535")
    private static let controlCharacter = Fault.invalid(
        "has a line end or another control character; remove it")

    private static func tooLong(_ text: String) -> Fault {
        .invalid("has \(text.utf8.count) bytes; the limit is \(longest)")
    }

    static func unsupported(_ scheme: String) -> Fault {
        let shown = scheme.count > 20 ? "\(scheme.prefix(20))…" : scheme
        return Fault(
            code: .unsupportedScheme,
            reason: "begins with \(shown)://; only http:// and https:// are supported")
    }

    /// Rejects what libcurl would accept or fail to explain.
    private static func check(_ text: String) throws(Fault) {
        guard !text.isEmpty else { throw .invalid("is empty; write an address such as \(example)") }
        guard text.utf8.count <= longest else { throw tooLong(text) }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw controlCharacter }
        guard !text.utf8.contains(UInt8(ascii: " ")) else {
            throw .invalid("has a space in it; write %20")
        }
        guard let separator = text.firstRange(ofASCII: "://"),
            separator > text.utf8.startIndex,
            text.utf8[..<separator].allSatisfy({ HTTPSyntax.isSchemeByte($0) })
        else {
            throw .invalid(
                "must begin with http:// or https://; write an address such as \(example)")
        }
        let scheme = text[..<separator].lowercased()
        guard scheme == "http" || scheme == "https" else { throw unsupported(scheme) }
        let authority = text.utf8[text.utf8.index(separator, offsetBy: 3)...]
            .prefix { !"/?#".utf8.contains($0) }
        let host = authority.split(
            separator: UInt8(ascii: "@"), omittingEmptySubsequences: false
        ).last
        guard let host, let first = host.first, first != UInt8(ascii: ":") else { throw noHost }
        guard host.last != UInt8(ascii: ":") else { throw invalidPort }
    }

    /// Explains why libcurl rejected a URL.
    private static func reason(for code: CURLUcode) -> String {
        switch code {
        case CURLUE_BAD_PORT_NUMBER: invalidPort.reason
        case CURLUE_NO_HOST: noHost.reason
        case CURLUE_BAD_HOSTNAME: "has an invalid host"
        case CURLUE_BAD_IPV6: "has an invalid IPv6 address; write it as [::1]"
        case CURLUE_BAD_SLASHES: "does not begin with http:// or https://"
        default: unsafe "is invalid (\(String(cString: curl_url_strerror(code))))"
        }
    }
}

extension HTTPError {
    /// Creates the error for a request with an invalid URL.
    init(_ fault: HTTPAddress.Fault) {
        self.init(fault.code, "the URL \(fault.reason)")
    }
}

extension HTTPSyntax {
    /// Whether the byte is allowed in a URL scheme.
    static func isSchemeByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".")
    }
}

extension String {
    /// The position of the first occurrence of an ASCII text.
    func firstRange(ofASCII text: StaticString) -> String.Index? {
        let wanted = Array(text.description.utf8)
        var index = utf8.startIndex
        while index != utf8.endIndex {
            if utf8[index...].starts(with: wanted) { return index }
            utf8.formIndex(after: &index)
        }
        return nil
    }
}

extension String {
    /// A URL, or the end of one, with characters that are not allowed in URLs (such as braces and
    /// angle brackets) and stray `%` signs escaped after the host, as Python's `requests` does.
    var quotedAsURL: String {
        let bytes = Array(utf8)
        let start = endOfHost
        var quoted: [UInt8] = []
        quoted.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            if index >= start, Self.needsQuoting(bytes, at: index) {
                quoted.append(UInt8(ascii: "%"))
                quoted += [byte >> 4, byte & 15].map { Array("0123456789ABCDEF".utf8)[Int($0)] }
            } else {
                quoted.append(byte)
            }
        }
        return String(decoding: quoted, as: UTF8.self)
    }

    private static func needsQuoting(_ bytes: [UInt8], at index: Int) -> Bool {
        guard bytes[index] == UInt8(ascii: "%") else {
            return "{}|^`\\\"<>".utf8.contains(bytes[index])
        }
        let digits = bytes[(index + 1)...].prefix(2)
        return digits.count < 2 || !digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    }

    /// Where the path, query or fragment begins; 0 in a relative URL.
    private var endOfHost: Int {
        let start: String.Index
        if let scheme = firstRange(ofASCII: "://"),
            utf8[..<scheme].allSatisfy({ HTTPSyntax.isSchemeByte($0) })
        {
            start = utf8.index(scheme, offsetBy: 3)
        } else if hasPrefix("//") {
            start = utf8.index(startIndex, offsetBy: 2)
        } else {
            return 0
        }
        let end = utf8[start...].firstIndex { "/?#".utf8.contains($0) } ?? endIndex
        return utf8.distance(from: startIndex, to: end)
    }
}

/// Plain URLs: nothing in them has to be encoded, decoded or removed, so that their parts stand in
/// them as they are: `https://ci.example:8443/hooks/build?token=x`.
///
/// Most URLs are plain. Parsing them without libcurl saves loading it, which takes longer than
/// checking a file of a thousand lines. All others, valid or not, are left to libcurl.
extension HTTPAddress {
    /// Parses a URL; `nil` if it is not plain.
    init?(plain text: String) {
        let isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://"), text.utf8.count <= Self.longest else {
            return nil
        }
        let scheme = isSecure ? "https" : "http"
        let rest = text.utf8.dropFirst(scheme.utf8.count + 3)
        let path = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let authority = rest[..<path].split(
            separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard authority.count <= 2, let name = authority.first, Self.isPlain(host: name),
            Self.isPlain(path: rest[path...])
        else { return nil }
        var port = isSecure ? 443 : 80
        if authority.count == 2 {
            guard let number = Self.number(authority[1], upTo: 65_535), number > 0 else {
                return nil
            }
            port = number
        }
        let host = String(Substring(name))
        self.init(
            text: text, encoded: path == rest.endIndex ? text + "/" : text, scheme: scheme,
            host: host, port: port, origin: "\(scheme)://\(host):\(port)", userInfo: nil)
    }

    /// Whether it is a name in small letters, or an IPv4 address of four decimal numbers.
    private static func isPlain(host: Substring.UTF8View) -> Bool {
        let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            !label.isEmpty
                && label.allSatisfy { isDigit($0) || isSmall($0) || "-_".utf8.contains($0) }
        }
        guard isName else { return false }
        // Any number may be part of an address in another notation, such as 127.1 or 0x7f000001.
        guard labels.contains(where: { $0.first.map(isDigit) ?? false }) else { return true }
        return labels.count == 4 && labels.allSatisfy { number($0, upTo: 255) != nil }
    }

    /// Whether a path, perhaps with a query, is sent as it is written.
    private static func isPlain(path: Substring.UTF8View) -> Bool {
        let query = path.firstIndex(of: UInt8(ascii: "?"))
        if let query, path.index(after: query) == path.endIndex { return false }
        let isPlain = path.allSatisfy { byte in
            isDigit(byte) || isSmall(byte) || isSmall(byte | 0x20)
                || "/-_.~?&=+,:;@!".utf8.contains(byte)
        }
        guard isPlain else { return false }
        return path[..<(query ?? path.endIndex)].split(separator: UInt8(ascii: "/"))
            .allSatisfy { !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
    }

    /// A decimal number without leading zeros.
    private static func number(_ digits: Substring.UTF8View, upTo limit: Int) -> Int? {
        guard digits.allSatisfy(isDigit), digits.count == 1 || digits.first != UInt8(ascii: "0"),
            let number = Int(Substring(digits)), number <= limit
        else { return nil }
        return number
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isSmall(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
