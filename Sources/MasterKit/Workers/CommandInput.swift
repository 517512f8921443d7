/// The bytes a command takes from the master, piece by piece, when the worker is ready for them.
public struct CommandInput: Sendable {
    /// No bytes.
    public static let nothing = CommandInput { _ in [] }

    private let read: @Sendable (Int) async throws -> [UInt8]

    /// Takes the bytes from a function.
    ///
    /// - Parameter read: Called with the number of bytes that are welcome; returns at most as many,
    ///   and none at the end. Never called twice at once, and not again after the end.
    public init(_ read: @escaping @Sendable (_ limit: Int) async throws -> [UInt8]) {
        self.read = read
    }

    /// Gives the next bytes, or none at the end.
    ///
    /// - Parameter limit: The number of bytes that are welcome, at least one.
    /// - Returns: At most as many bytes; none at the end.
    /// - Throws: What the source of the bytes throws.
    public func next(_ limit: Int) async throws -> [UInt8] {
        try await read(limit)
    }
}
