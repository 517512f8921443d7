import Glibc
import SystemPackage

/// Unix domain sockets that carry whole messages.
enum UnixSocket {
    /// The maximum size of a request, in bytes.
    static let messageLimit = 64 << 10

    static func listen(
        in folder: OwnedDescriptor, name: String
    ) throws(SystemFault) -> OwnedDescriptor {
        let socket = try make()
        guard unsafe withAddress(in: folder, name, { unsafe bind(socket.number, $0, $1) }) == 0
        else {
            throw SystemFault()
        }
        // Before anybody can connect; a umask would be that of all threads.
        guard unsafe fchmodat(folder.number, name, 0o600, 0) == 0,
            Glibc.listen(socket.number, 16) == 0
        else { throw SystemFault() }
        return socket
    }

    static func connect(
        in folder: FilePath, name: String, patience: Duration?
    ) -> OwnedDescriptor? {
        do {
            let place = try POSIX.open(folder, O_RDONLY | O_DIRECTORY)
            let socket = try make()
            if let patience { limit(socket, to: patience) }
            let isConnected = unsafe withAddress(in: place, name) {
                unsafe Glibc.connect(socket.number, $0, $1)
            }
            return isConnected == 0 ? socket : nil
        } catch {
            return nil  // No master has been here.
        }
    }

    /// Waits for a connection; `false` once the other descriptor is readable.
    static func wait(for listener: OwnedDescriptor, or stop: CInt) -> Bool {
        var polled = [
            pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
        ]
        while unsafe poll(&polled, 2, -1) < 0 {
            guard errno == EINTR else { return false }
        }
        return polled[1].revents == 0
    }

    static func accept(_ listener: OwnedDescriptor, patience: Duration) -> OwnedDescriptor? {
        let number = Glibc.accept(listener.number, nil, nil)
        guard number >= 0 else { return nil }
        let connection = OwnedDescriptor(FileDescriptor(rawValue: number))
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        limit(connection, to: patience)
        return connection
    }

    /// Sends a message; `false` if the other side has gone, or takes too long.
    static func send(_ bytes: [UInt8], _ connection: OwnedDescriptor) -> Bool {
        var sent = -1
        repeat {
            sent = unsafe Glibc.send(
                connection.number, bytes, bytes.count, CInt(MSG_NOSIGNAL))
        } while sent < 0 && errno == EINTR
        return sent == bytes.count
    }

    /// Takes no more messages, and drops those that have come: otherwise the other side would learn
    /// of them before it can read what was sent to it.
    static func refuseMessages(_ connection: OwnedDescriptor) {
        shutdown(connection.number, CInt(SHUT_RD))
        var byte: UInt8 = 0
        while unsafe recv(connection.number, &byte, 1, CInt(MSG_DONTWAIT)) > 0 {}
    }

    /// Receives a request.
    ///
    /// - Throws: ``ControlError`` if it is too long.
    static func receive(_ connection: OwnedDescriptor) throws(ControlError) -> String? {
        guard let bytes = receiveBytes(connection, maxByteCount: messageLimit + 1) else {
            return nil
        }
        guard bytes.count <= messageLimit else {
            throw ControlError("a request has at most \(messageLimit >> 10) KiB")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Receives a message; `nil` if the other side has gone, or takes too long.
    static func receiveBytes(_ connection: OwnedDescriptor, maxByteCount: Int) -> [UInt8]? {
        do {
            let bytes = try POSIX.read(connection.number, maxByteCount: maxByteCount)
            return bytes.isEmpty ? nil : bytes
        } catch {
            return nil
        }
    }

    /// Sends a message to a socket by its path; one that begins with `@` is in the abstract
    /// namespace.
    static func post(_ message: String, to path: String) throws(SystemFault) {
        let number = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemFault() }
        let socket = OwnedDescriptor(FileDescriptor(rawValue: number))
        limit(socket, to: .seconds(1))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        guard !name.isEmpty, name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemFault(ENAMETOOLONG)
        }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        // The length of an abstract name is that of the address.
        let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bytes = Array(message.utf8)
        let sent = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(
                    socket.number, bytes, bytes.count, CInt(MSG_NOSIGNAL), $0, size)
            }
        }
        guard sent == bytes.count else { throw SystemFault() }
    }

    private static func make() throws(SystemFault) -> OwnedDescriptor {
        let kind = CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let number = socket(AF_UNIX, kind, 0)
        guard number >= 0 else { throw SystemFault() }
        return OwnedDescriptor(FileDescriptor(rawValue: number))
    }

    /// How long a message may take to be sent or received; any time if it is zero.
    static func limit(_ connection: OwnedDescriptor, to patience: Duration) {
        var time = timeval(tv_sec: Int(patience.components.seconds), tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(connection.number, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        unsafe setsockopt(connection.number, SOL_SOCKET, SO_SNDTIMEO, &time, size)
    }

    /// Calls a function with the address of a socket in an open folder.
    ///
    /// Addresses are limited to 107 bytes, and folder paths may be longer, so the folder is
    /// referred to by its descriptor.
    private static func withAddress(
        in folder: OwnedDescriptor, _ name: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { path in
            unsafe path.copyBytes(from: "/proc/self/fd/\(folder.number)/\(name)".utf8)
        }
        return unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// The clock by which systemd orders the messages of a service.
enum MonotonicTime {
    static var microseconds: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }
}
