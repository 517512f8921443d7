import CLibCurl

/// The process-wide start of libcurl.
enum CurlGlobal {
    private static let result = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// Starts libcurl once; safe from any thread.
    static func start() throws(HTTPError) {
        guard result == CURLE_OK else {
            throw HTTPError(.transferFailed, "libcurl cannot be started: \(result.explanation)")
        }
    }
}

extension CURLcode {
    /// libcurl's words for the code.
    var explanation: String {
        unsafe String(cString: curl_easy_strerror(self))
    }
}
