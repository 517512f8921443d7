import Glibc

/// Room in the heap of the thread that makes it, which the C library does not give back.
///
/// libcurl allocates some 40 KiB for each transfer and frees them at its end. Where these lie at
/// the top of a thread's heap, each round would return the pages to the system and fault them in again,
/// which cost a third of all time. A free block below one that stays is not returned. Pages that
/// are never used take no memory.
@safe struct HeapReserve: ~Copyable {
    /// Below what the C library takes from the system block by block.
    private static let piece = 64 << 10
    private static let pieces = 64

    private let guardian: UnsafeMutableRawPointer?

    /// Makes room for the transfers of a busy client, 4 MiB.
    init() {
        var blocks: [UnsafeMutableRawPointer?] = unsafe []
        for _ in 0..<Self.pieces { unsafe blocks.append(malloc(Self.piece)) }
        unsafe guardian = malloc(Self.piece)
        for index in 0..<Self.pieces { unsafe free(blocks[index]) }
    }

    deinit {
        unsafe free(guardian)
    }
}
