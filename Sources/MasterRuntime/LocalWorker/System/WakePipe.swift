import Glibc
import MasterKit

/// Wakes a thread that waits in `poll`.
final class WakePipe: Sendable {
    private let readEnd: OwnedDescriptor
    private let writeEnd: OwnedDescriptor

    init() throws(CommandError) {
        let ends = try OwnedDescriptor.pipe()
        readEnd = ends.readEnd
        writeEnd = ends.writeEnd
        _ = fcntl(writeEnd.number, F_SETFL, O_NONBLOCK)
    }

    /// What becomes readable when the thread is to wake.
    var descriptor: CInt { readEnd.number }

    /// Wakes the thread, now or when it next waits.
    ///
    /// A full pipe is as good as one byte more: the thread wakes by those that are there.
    func wake() {
        _ = unsafe [UInt8(0)].withUnsafeBytes { bytes in
            unsafe Glibc.write(writeEnd.number, bytes.baseAddress, 1)
        }
    }

    /// Forgets the wakes so far.
    func clear() {
        _ = unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
            unsafe Glibc.read(descriptor, bytes.baseAddress, bytes.count)
        }
    }
}
