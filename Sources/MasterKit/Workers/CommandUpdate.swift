/// One thing a command has to say while it runs.
public struct CommandUpdate: Sendable, Hashable {
    /// What an update brings.
    public enum Content: Sendable, Hashable {
        /// Bytes the program wrote to one of its streams, as they came: never empty, not cut at
        /// lines or characters.
        case output(OutputStream, [UInt8])
        /// Whole lines about the command itself, each ended by a newline.
        case header(String)
        /// The next bytes of the file that `uploadFile` reads; never empty.
        case content([UInt8])
    }

    /// A stream of a program.
    public enum OutputStream: String, Sendable, Hashable, Codable, CaseIterable {
        /// What the program writes to its file descriptor 1.
        case stdout
        /// What the program writes to its file descriptor 2.
        case stderr
    }

    /// What this update brings.
    public var content: Content

    /// The time since the command began.
    public var elapsed: Duration

    /// Makes an update.
    ///
    /// - Parameters:
    ///   - content: What it brings.
    ///   - elapsed: The time since the command began.
    public init(_ content: Content, elapsed: Duration) {
        self.content = content
        self.elapsed = elapsed
    }
}
