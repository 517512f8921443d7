import CLibCurl

/// Owns one multi handle; it is freed when the last owner lets go.
///
/// `@unchecked Sendable`: `wakeUp` may be called on any thread; everything else is called on the
/// curl thread alone, and the handle outlives every caller.
@safe final class CurlMulti: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    let connections = ConnectionTable()

    init(idleConnections: Int) throws(HTTPError) {
        try CurlGlobal.start()
        guard let handle = unsafe curl_multi_init() else { throw .outOfMemory }
        unsafe self.handle = handle
        // The only sign that libcurl has no descriptors to be woken by.
        guard unsafe curl_multi_wakeup(handle) == CURLM_OK else { throw .noDescriptors }
        unsafe master_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, idleConnections)
        unsafe master_curl_multi_set_long(handle, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    deinit {
        unsafe curl_multi_cleanup(handle)
    }

    /// Makes `wait` return, now or at its next call.
    func wakeUp() {
        unsafe curl_multi_wakeup(handle)
    }

    /// Begins a transfer; false when there is no memory.
    func add(_ easy: EasyHandle) -> Bool {
        unsafe curl_multi_add_handle(handle, easy.pointer) == CURLM_OK
    }

    /// Ends a transfer, finished or not.
    func remove(_ easy: EasyHandle) {
        unsafe curl_multi_remove_handle(handle, easy.pointer)
    }

    /// Moves on the transfers that can.
    func perform() {
        var running: Int32 = 0
        unsafe curl_multi_perform(handle, &running)
    }

    /// Waits for a socket, a timer of libcurl, a wake-up or the end of the time.
    func wait(milliseconds: Int32) {
        unsafe curl_multi_poll(handle, nil, 0, milliseconds, nil)
    }

    /// The next transfer that ended, and how.
    func nextFinished() -> (transfer: Transfer, result: CURLcode)? {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(handle, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE,
                let transfer = unsafe EasyHandle.transfer(of: message.pointee.easy_handle)
            else { continue }
            return unsafe (transfer, master_curl_message_result(message))
        }
        return nil
    }
}

/// The process-wide start of libcurl.
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
    /// libcurl's words for the code.
    var explanation: String {
        unsafe String(cString: curl_easy_strerror(self))
    }
}
