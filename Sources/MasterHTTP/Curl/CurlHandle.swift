import CLibCurl
import Glibc

/// An owner of a libcurl easy handle. Used on the thread of its multi handle.
protocol CurlHandle: AnyObject {
    /// The easy handle.
    var pointer: UnsafeMutableRawPointer { get }
}

extension CurlHandle {
    func set(_ option: CURLoption, _ value: Int) {
        unsafe master_curl_set_long(pointer, option, value)
    }

    func set(_ option: CURLoption, _ value: String?) throws(HTTPError) {
        let result =
            if let value {
                unsafe master_curl_set_text(pointer, option, value)
            } else {
                unsafe master_curl_set_text(pointer, option, nil)
            }
        guard result == CURLE_OK else {
            throw HTTPError(.transferFailed, "libcurl refuses a setting: \(result.explanation)")
        }
    }

    func longInfo(_ info: CURLINFO) -> Int {
        var value = 0
        unsafe master_curl_get_long(pointer, info, &value)
        return value
    }

    func time(_ info: CURLINFO) -> Duration {
        var microseconds: curl_off_t = 0
        unsafe master_curl_get_offset(pointer, info, &microseconds)
        return .microseconds(Int64(microseconds))
    }
}

/// The options for one peer: the server, or a proxy that uses TLS.
struct TLSSide {
    let verifyPeer: CURLoption
    let verifyHost: CURLoption
    let file: CURLoption
    let folder: CURLoption

    static let server = TLSSide(
        verifyPeer: CURLOPT_SSL_VERIFYPEER, verifyHost: CURLOPT_SSL_VERIFYHOST,
        file: CURLOPT_CAINFO, folder: CURLOPT_CAPATH)
    static let proxy = TLSSide(
        verifyPeer: CURLOPT_PROXY_SSL_VERIFYPEER, verifyHost: CURLOPT_PROXY_SSL_VERIFYHOST,
        file: CURLOPT_PROXY_CAINFO, folder: CURLOPT_PROXY_CAPATH)
}

extension CurlHandle {
    /// Sets how certificates are verified; given authorities replace those of the system.
    func setTLS(_ tls: HTTPTLS, _ side: TLSSide) throws(HTTPError) {
        switch tls.verification {
        case .on: break
        case .off:
            set(side.verifyPeer, 0)
            set(side.verifyHost, 0)
        case .authorities(let path):
            let isFolder = try Self.inspect(path, as: "the certificate authorities in")
            try set(side.file, isFolder ? nil : path)
            try set(side.folder, isFolder ? path : nil)
        }
    }

    /// Sets the client certificate and its key.
    func setClientCertificate(_ tls: HTTPTLS) throws(HTTPError) {
        guard let certificate = tls.clientCertificate else {
            guard tls.key == nil else {
                throw HTTPError(.tls, "a key is given without a client certificate; give both")
            }
            return
        }
        _ = try Self.inspect(certificate, as: "the client certificate")
        try set(CURLOPT_SSLCERT, certificate)
        guard let key = tls.key else { return }
        _ = try Self.inspect(key, as: "the key of the client certificate")
        try set(CURLOPT_SSLKEY, key)
    }

    /// Whether the path is a folder.
    ///
    /// - Throws: `HTTPError` with the code `tls` if it cannot be read.
    private static func inspect(_ path: String, as what: String) throws(HTTPError) -> Bool {
        var information = stat()
        guard !path.utf8.contains(0), unsafe stat(path, &information) == 0,
            unsafe access(path, R_OK) == 0
        else {
            let reason = unsafe String(cString: strerror(errno))
            throw HTTPError(.tls, "\(what) \(path) cannot be read: \(reason)")
        }
        return information.st_mode & S_IFMT == S_IFDIR
    }
}
