import CLibCurl
import Glibc

/// The callbacks from libcurl, always on the curl thread; their context is the handle.
extension EasyHandle {
    func setCallbacks() {
        unsafe master_curl_set_data_callback(pointer, CURLOPT_WRITEFUNCTION) {
            bytes, size, count, context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else { return 0 }
            return unsafe transfer.receiveBody(
                UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        unsafe master_curl_set_data_callback(pointer, CURLOPT_HEADERFUNCTION) {
            bytes, size, count, context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else { return 0 }
            return unsafe transfer.receiveHeader(
                UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        unsafe master_curl_set_data_callback(pointer, CURLOPT_READFUNCTION) {
            bytes, size, count, context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else {
                return Int(CURL_READFUNC_ABORT)
            }
            return unsafe transfer.sendBody(
                UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        unsafe master_curl_set_seek_callback(pointer) { context, offset, origin in
            guard origin == SEEK_SET, let transfer = unsafe EasyHandle.transfer(in: context) else {
                return CURL_SEEKFUNC_FAIL
            }
            return transfer.rewindBody(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
        }
        unsafe master_curl_set_debug_callback(pointer) { _, kind, bytes, count, context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else { return 0 }
            unsafe transfer.observe(kind, UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        }
        unsafe master_curl_set_prereq_callback(pointer) { context, peer, _, _, localPort in
            let ends = unsafe ConnectionEnds(localPort: localPort, peer: peer)
            guard let handle = unsafe EasyHandle.handle(in: context),
                let transfer = handle.transfer,
                transfer.beginRequest(on: ends, of: handle.connections)
            else { return CURL_PREREQFUNC_ABORT }
            return CURL_PREREQFUNC_OK
        }
        setSocketCallbacks()
    }

    private func setSocketCallbacks() {
        unsafe master_curl_set_opensocket_callback(pointer) { context, _, address in
            guard let handle = unsafe EasyHandle.handle(in: context),
                let address = unsafe address?.pointee
            else { return CURL_SOCKET_BAD }
            return handle.open(address)
        }
        unsafe master_curl_set_closesocket_callback(pointer) { context, descriptor in
            if let context = unsafe context {
                unsafe Unmanaged<ConnectionTable>.fromOpaque(context).takeUnretainedValue()
                    .closed(descriptor)
            }
            return close(descriptor)
        }
    }

    private static func handle(in context: UnsafeMutableRawPointer?) -> EasyHandle? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
    }

    private static func transfer(in context: UnsafeMutableRawPointer?) -> Transfer? {
        unsafe handle(in: context)?.transfer
    }
}
