import CLibCurl
import Glibc

/// Owns a multi handle, which is freed when the last owner releases it.
///
/// `@unchecked Sendable`: `wakeUp` may be called on any thread; everything else is called only on
/// the curl thread, and the handle outlives all callers.
@safe final class CurlMulti: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    let connections = ConnectionTable()

    init(idleConnections: Int) throws(HTTPError) {
        try CurlGlobal.start()
        guard let handle = unsafe curl_multi_init() else { throw .outOfMemory }
        unsafe self.handle = handle
        // This is the only way to tell whether libcurl had no descriptors for its wake-up socket.
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

    /// Adds a transfer; returns `false` if there is not enough memory.
    func add(_ easy: EasyHandle) -> Bool {
        unsafe curl_multi_add_handle(handle, easy.pointer) == CURLM_OK
    }

    /// Removes a transfer, finished or not.
    func remove(_ easy: EasyHandle) {
        unsafe curl_multi_remove_handle(handle, easy.pointer)
    }

    /// Runs all transfers that are ready.
    func perform() {
        var running: Int32 = 0
        unsafe curl_multi_perform(handle, &running)
    }

    /// Waits for socket activity, a libcurl timer, a wake-up, or the timeout.
    func wait(milliseconds: Int32) {
        unsafe curl_multi_poll(handle, nil, 0, milliseconds, nil)
    }

    /// The next finished transfer and its result code.
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
