import CLibCurl
import Glibc

extension EasyHandle {
    /// The options for one side: the server, or a proxy that is spoken to over TLS.
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

    /// Sets how certificates are checked; authorities given replace the system's.
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

    /// Sets the certificate and key that the client shows.
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
    /// - Throws: `HTTPError` of code `tls` when it cannot be read.
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
