import CLibCurl
import Glibc

/// What libcurl calls, always on the loop's thread; the context is the handle.
extension EasyHandle {
    func setCallbacks() {
        unsafe master_curl_set_data_callback(pointer, CURLOPT_WRITEFUNCTION) {
            bytes,
            size,
            count,
            context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else { return 0 }
            return unsafe transfer.receiveBody(
                unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            )
        }
        unsafe master_curl_set_data_callback(pointer, CURLOPT_HEADERFUNCTION) {
            bytes,
            size,
            count,
            context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else { return 0 }
            return unsafe transfer.receiveHeader(
                unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            )
        }
        unsafe master_curl_set_data_callback(pointer, CURLOPT_READFUNCTION) {
            bytes,
            size,
            count,
            context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else {
                return Int(CURL_READFUNC_ABORT)
            }
            return unsafe transfer.sendBody(
                unsafe UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
            )
        }
        unsafe master_curl_set_seek_callback(pointer) { context, offset, origin in
            guard origin == SEEK_SET, let transfer = unsafe EasyHandle.transfer(in: context) else {
                return CURL_SEEKFUNC_FAIL
            }
            return transfer.rewindBody(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
        }
        unsafe master_curl_set_debug_callback(pointer) { _, kind, bytes, count, context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else { return 0 }
            unsafe transfer.observe(kind, unsafe UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        }
        unsafe master_curl_set_prereq_callback(pointer) { context, _, _, _, _ in
            guard let transfer = unsafe EasyHandle.transfer(in: context), transfer.beginRequest()
            else { return CURL_PREREQFUNC_ABORT }
            return CURL_PREREQFUNC_OK
        }
        setSocketCallbacks()
    }

    private func setSocketCallbacks() {
        unsafe master_curl_set_opensocket_callback(pointer) { context, _, address in
            guard let address = unsafe address?.pointee else { return CURL_SOCKET_BAD }
            // Children of this process must not inherit the connection.
            let descriptor = socket(
                address.family,
                address.socktype | Int32(SOCK_CLOEXEC.rawValue),
                address.protocol
            )
            if let context = unsafe context {
                unsafe Unmanaged<SocketTable>.fromOpaque(context).takeUnretainedValue()
                    .opened(descriptor)
            }
            return descriptor
        }
        unsafe master_curl_set_closesocket_callback(pointer) { context, descriptor in
            if let context = unsafe context {
                unsafe Unmanaged<SocketTable>.fromOpaque(context).takeUnretainedValue()
                    .closed(descriptor)
            }
            return close(descriptor)
        }
    }

    private static func transfer(in context: UnsafeMutableRawPointer?) -> Transfer? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue().transfer
    }
}
