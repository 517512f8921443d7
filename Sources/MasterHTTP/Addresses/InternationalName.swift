import CLibCurl

/// Names of hosts beyond ASCII, as they are looked up and sent: `bücher.example` is
/// `xn--bcher-kva.example`.
enum InternationalName {
    /// The name in ASCII.
    ///
    /// - Throws: `HTTPError` of code `invalidURL` for a name that no host can have.
    static func ascii(_ name: String) throws(HTTPError) -> String {
        guard name.utf8.contains(where: { $0 >= 0x80 }) else { return name }
        var ascii: UnsafeMutablePointer<CChar>?
        let result = unsafe master_idn_lookup(name, &ascii)
        guard result == IDN2_OK.rawValue, let ascii = unsafe ascii else {
            let reason = unsafe String(cString: idn2_strerror(result))
            throw .invalidURL("the URL has an invalid international host name: \(reason)")
        }
        defer { unsafe idn2_free(ascii) }
        return unsafe String(cString: ascii)
    }

    /// A key such as `https://host`, its host in ASCII.
    static func asciiKey(_ key: String) -> String {
        guard key.utf8.contains(where: { $0 >= 0x80 }),
            let separator = key.firstRange(ofASCII: "://")
        else { return key }
        let host = key.index(separator, offsetBy: 3)
        return key[..<host] + asciiIfPossible(String(key[host...]))
    }

    /// The name in ASCII, or as it is where it cannot be written so.
    static func asciiIfPossible(_ name: String) -> String {
        do {
            return try ascii(name)
        } catch {
            return name
        }
    }
}
