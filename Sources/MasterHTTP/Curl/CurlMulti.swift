import CLibCurl
import Glibc

/// Owns one multi handle; it is freed when the last owner lets go.
///
/// `@unchecked Sendable`: `wakeUp` only writes to a descriptor and may be called on any thread;
/// everything else is called on the curl thread alone, and the handle outlives every caller.
@safe final class CurlMulti: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    let connections: ConnectionTable
    private var timer: ContinuousClock.Instant?

    init(idleConnections: Int) throws(HTTPError) {
        try CurlGlobal.start()
        connections = try ConnectionTable()
        guard let handle = unsafe curl_multi_init() else { throw .outOfMemory }
        unsafe self.handle = handle
        unsafe master_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, idleConnections)
        unsafe master_curl_multi_set_long(handle, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        setCallbacks()
    }

    deinit {
        // Closing connections must no longer tell the socket table of this dying object.
        unsafe master_curl_multi_set_socket_callback(handle, nil)
        unsafe master_curl_multi_set_timer_callback(handle, nil)
        unsafe curl_multi_cleanup(handle)
    }

    /// Makes `wait` return, now or at its next call.
    func wakeUp() {
        connections.wakeUp()
    }

    /// Begins a transfer; false when there is no memory.
    func add(_ easy: EasyHandle) -> Bool {
        unsafe curl_multi_add_handle(handle, easy.pointer) == CURLM_OK
    }

    /// Ends a transfer, finished or not.
    func remove(_ easy: EasyHandle) {
        unsafe curl_multi_remove_handle(handle, easy.pointer)
    }

    /// Moves on the transfers whose time has come, those just begun among them.
    func performDue() {
        guard let due = timer, due <= .now else { return }
        act(on: CURL_SOCKET_BAD, 0)
        // libcurl says nothing when its next timer is the one that was thought to be due.
        var milliseconds = -1
        unsafe curl_multi_timeout(handle, &milliseconds)
        setTimer(milliseconds)
    }

    /// Waits for a socket, a timer, a wake-up or the end of the time, and moves on what is ready.
    func wait(milliseconds: Int32) {
        var patience = milliseconds
        if let timer { patience = min(patience, Int32(clamping: (timer - .now).millisecondsUp)) }
        connections.wait(milliseconds: patience) { descriptor, events in
            act(on: descriptor, events)
        }
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

    private func act(on descriptor: Int32, _ events: Int32) {
        var running: Int32 = 0
        unsafe curl_multi_socket_action(handle, descriptor, events, &running)
    }

    private func setTimer(_ milliseconds: Int) {
        timer = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }

    private func setCallbacks() {
        let table = unsafe Unmanaged.passUnretained(connections).toOpaque()
        unsafe master_curl_multi_set_pointer(handle, CURLMOPT_SOCKETDATA, table)
        unsafe master_curl_multi_set_socket_callback(handle) { _, descriptor, what, context, _ in
            guard let context = unsafe context else { return 0 }
            unsafe Unmanaged<ConnectionTable>.fromOpaque(context).takeUnretainedValue()
                .want(what, on: descriptor)
            return 0
        }
        let multi = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe master_curl_multi_set_pointer(handle, CURLMOPT_TIMERDATA, multi)
        unsafe master_curl_multi_set_timer_callback(handle) { _, milliseconds, context in
            guard let context = unsafe context else { return 0 }
            let multi = unsafe Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue()
            multi.setTimer(milliseconds)
            return 0
        }
    }
}

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
