import CLibCurl

/// One libcurl URL handle: takes an address apart and puts it together again.
@safe struct CurlURL: ~Copyable {
    private let handle: OpaquePointer

    init() throws(HTTPError) {
        guard let handle = unsafe curl_url() else { throw .outOfMemory }
        unsafe self.handle = handle
    }

    deinit {
        unsafe curl_url_cleanup(handle)
    }

    /// Sets the whole address; one that is relative is resolved against the one set before.
    func set(_ text: String, flags: Int32) -> CURLUcode {
        unsafe curl_url_set(handle, CURLUPART_URL, text, UInt32(flags))
    }

    /// Sets a part.
    func set(_ part: CURLUPart, _ text: String) throws(HTTPError) {
        guard unsafe curl_url_set(handle, part, text, 0) == CURLUE_OK else { throw .outOfMemory }
    }

    /// Removes a part.
    func remove(_ part: CURLUPart) {
        unsafe curl_url_set(handle, part, nil, 0)
    }

    /// A part as text, or nil when the address has none.
    func part(_ part: CURLUPart, flags: Int32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, part, &text, UInt32(flags)) == CURLUE_OK,
            let text = unsafe text
        else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}
