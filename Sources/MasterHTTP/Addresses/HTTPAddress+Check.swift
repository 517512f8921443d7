import CLibCurl

extension HTTPAddress {
    /// Finds what is wrong with an address before libcurl sees it, in words of its own.
    static func check(_ text: String) throws(HTTPError) {
        guard !text.isEmpty else {
            throw .invalidURL("the URL is empty; write http://host/path or https://host/path")
        }
        guard text.utf8.count <= longest else {
            throw .invalidURL("the URL has \(text.utf8.count) bytes; the limit is 65536")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .invalidURL("the URL has a line end or another control character; remove it")
        }
        guard !text.utf8.contains(UInt8(ascii: " ")) else {
            throw .invalidURL("the URL has a space in it; write %20")
        }
        guard let separator = text.firstRange(ofASCII: "://"),
            separator > text.utf8.startIndex,
            text.utf8[..<separator].allSatisfy({ HTTPSyntax.isSchemeByte($0) })
        else {
            throw .invalidURL("the URL does not begin with http:// or https://")
        }
        guard !text[separator...].utf8.starts(with: ":///".utf8) else {
            throw .invalidURL("the URL has no host between its slashes")
        }
        let scheme = text[..<separator].lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw .unsupportedScheme(scheme.count > 20 ? "\(scheme.prefix(20))…" : scheme)
        }
    }

    /// What libcurl has against an address.
    static func complaint(about code: CURLUcode) -> String {
        switch code {
        case CURLUE_BAD_PORT_NUMBER: "the port of the URL is not a number from 1 to 65535"
        case CURLUE_BAD_HOSTNAME, CURLUE_NO_HOST: "the URL has an invalid host"
        case CURLUE_BAD_IPV6: "the URL has an invalid IPv6 address"
        case CURLUE_BAD_SLASHES: "the URL has too many slashes after its scheme"
        default: unsafe "the URL is invalid (\(String(cString: curl_url_strerror(code))))"
        }
    }
}

extension HTTPSyntax {
    /// Whether the byte may stand in the scheme of an address.
    static func isSchemeByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".")
    }
}

extension String {
    /// Where an ASCII text first occurs.
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
