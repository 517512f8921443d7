/// Turns libyaml's marks, which count Unicode scalars, into UTF-8 offsets.
struct MarkMap {
    private static let stride = 256

    private let bytes: [UInt8]
    /// The offset of each 256th scalar; empty when all is ASCII.
    private let checkpoints: [Int]

    init(bytes: [UInt8]) {
        self.bytes = bytes
        self.checkpoints = bytes.contains { $0 >= 0x80 } ? Self.checkpoints(of: bytes) : []
    }

    /// Returns the offset of a scalar, or the end when there are fewer.
    func offset(ofScalar index: Int) -> Int {
        guard let last = checkpoints.last else { return min(index, bytes.count) }
        let checkpoint = index / Self.stride
        var offset = checkpoint < checkpoints.count ? checkpoints[checkpoint] : last
        var rest = index - min(checkpoint, checkpoints.count - 1) * Self.stride
        while rest > 0, offset < bytes.count {
            offset += 1
            while offset < bytes.count, bytes[offset].isContinuation { offset += 1 }
            rest -= 1
        }
        return offset
    }

    private static func checkpoints(of bytes: [UInt8]) -> [Int] {
        var result: [Int] = []
        var count = 0
        for (offset, byte) in bytes.enumerated() where !byte.isContinuation {
            if count.isMultiple(of: stride) { result.append(offset) }
            count += 1
        }
        return result
    }
}
