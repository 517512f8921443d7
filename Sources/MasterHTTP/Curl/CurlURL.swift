import CLibCurl
import Glibc

/// A libcurl URL handle, which parses and builds URLs.
@safe struct CurlURL: ~Copyable {
    private let handle: OpaquePointer

    init() throws(HTTPAddress.Fault) {
        do throws(HTTPError) {
            try CurlGlobal.load()
        } catch {
            throw HTTPAddress.Fault(
                code: error.code, reason: "cannot be parsed: \(error.message)")
        }
        guard let handle = unsafe curl_url() else { throw .outOfMemory }
        unsafe self.handle = handle
    }

    deinit {
        unsafe curl_url_cleanup(handle)
    }

    /// Sets the whole URL, resolving a relative one against the previous URL.
    func set(_ text: String, flags: Int32) -> CURLUcode {
        unsafe curl_url_set(handle, CURLUPART_URL, text, UInt32(flags))
    }

    func set(_ part: CURLUPart, _ text: String) throws(HTTPAddress.Fault) {
        let result = unsafe curl_url_set(handle, part, text, 0)
        guard result == CURLUE_OK else {
            throw result == CURLUE_OUT_OF_MEMORY ? .outOfMemory : .invalid("has an invalid host")
        }
    }

    func remove(_ part: CURLUPart) {
        unsafe curl_url_set(handle, part, nil, 0)
    }

    /// A part as text, or `nil` if the URL does not have it.
    func part(_ part: CURLUPart, flags: Int32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, part, &text, UInt32(flags)) == CURLUE_OK,
            let text = unsafe text
        else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}

/// Converts internationalized host names to ASCII, the form in which they are looked up and sent:
/// `bücher.example` becomes `xn--bcher-kva.example`.
enum InternationalName {
    /// Converts a host name to ASCII.
    ///
    /// - Throws: `HTTPAddress.Fault` if it is not a valid host name.
    static func ascii(_ name: String) throws(HTTPAddress.Fault) -> String {
        guard name.utf8.contains(where: { $0 >= 0x80 }) else { return name }
        var ascii: UnsafeMutablePointer<CChar>?
        let result = unsafe master_idn_lookup(name, &ascii)
        guard result == IDN2_OK.rawValue, let ascii = unsafe ascii else {
            let reason = unsafe String(cString: idn2_strerror(result))
            throw .invalid("has an invalid international host name: \(reason)")
        }
        defer { unsafe idn2_free(ascii) }
        return unsafe String(cString: ascii)
    }

    /// Converts the host of a key such as `https://host` to ASCII.
    static func asciiKey(_ key: String) -> String {
        guard key.utf8.contains(where: { $0 >= 0x80 }),
            let separator = key.firstRange(ofASCII: "://")
        else { return key }
        let host = key.index(separator, offsetBy: 3)
        return key[..<host] + asciiIfPossible(String(key[host...]))
    }

    /// Converts a host name to ASCII, or returns it unchanged if it is not valid.
    static func asciiIfPossible(_ name: String) -> String {
        do {
            return try ascii(name)
        } catch {
            return name
        }
    }
}

/// Initializes libcurl for the whole process.
enum CurlGlobal {
    private static let result = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// Loads libcurl, which stands before any other call; safe from any thread.
    static func load() throws(HTTPError) {
        guard let fault = unsafe master_curl_load() else { return }
        let reason = unsafe String(cString: fault)
        guard !HTTPError.isWithoutDescriptors else { throw .noDescriptors }
        throw HTTPError(
            .transferFailed,
            "libcurl cannot be loaded: \(reason); install or update libcurl 4")
    }

    /// Loads and starts libcurl once; safe from any thread.
    static func start() throws(HTTPError) {
        try load()
        guard result == CURLE_OK else {
            throw HTTPError(.transferFailed, "libcurl failed to start: \(result.explanation)")
        }
    }
}

extension CURLcode {
    /// libcurl's description of the code.
    var explanation: String {
        unsafe String(cString: curl_easy_strerror(self))
    }
}
