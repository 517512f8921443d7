import Glibc

/// Runs a closure with a port whose connection queue is full, so that new connections are never
/// established.
func withFullListener<Value>(_ body: (Int) async throws -> Value) async throws -> Value {
    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    sockets.append(listener)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
            _ = unsafe bind(listener, general, size)
            _ = unsafe getsockname(listener, general, &size)
        }
    }
    listen(listener, 0)
    for _ in 0..<4 {
        let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        sockets.append(filler)
        _ = fcntl(filler, F_SETFL, O_NONBLOCK)
        unsafe withUnsafePointer(to: address) { pointer in
            _ = unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(filler, $0, size)
            }
        }
    }
    return try await body(Int(UInt16(bigEndian: address.sin_port)))
}
