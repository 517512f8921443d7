import Glibc

/// A pipe whose bytes are signals: a thread can wait for one beside a socket.
final class SignalPipe: Sendable {
    let reader: Descriptor
    private let writer: Descriptor

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw ServerFault("pipe") }
        reader = Descriptor(ends[0])
        writer = Descriptor(ends[1])
        try reader.makePrivate()
        try writer.makePrivate()
    }

    /// Sends one signal.
    func signal() {
        var byte: UInt8 = 1
        while unsafe write(writer.number, &byte, 1) < 0, errno == EINTR {}
    }

    /// Takes one signal; false when there is none.
    func takeOne() -> Bool {
        var byte: UInt8 = 0
        return unsafe read(reader.number, &byte, 1) == 1
    }
}
