/// An open log of a step. Secrets are masked before anything is written.
public protocol StepLog: Sendable {
    /// Adds output as it came, in pieces of any size; waits while too much is still unwritten.
    func write(_ bytes: ArraySlice<UInt8>, to channel: LogChannel) async throws

    /// Writes what is held back because it may be the beginning of a secret; the output of the
    /// channel ends here, or begins anew.
    func flush(_ channel: LogChannel) async throws
}

/// Which of the three kinds of lines of a log some output belongs to.
public enum LogChannel: UInt8, Sendable, Hashable, CaseIterable {
    /// Standard output, marked `o`.
    case stdout = 0x6F
    /// Standard error, marked `e`.
    case stderr = 0x65
    /// What the master says about the step, marked `h`.
    case header = 0x68

    /// The channels of what a program writes.
    package static let output: [LogChannel] = [.stdout, .stderr]
}

extension StepLog {
    /// Adds text, with a line end where it has none, before anything that is written later to
    /// another channel.
    public func line(_ text: String, to channel: LogChannel = .stdout) async throws {
        var bytes = Array(text.utf8)
        if bytes.last != 0x0A { bytes.append(0x0A) }
        try await line(bytes, to: channel)
    }

    /// Adds bytes, with a line end where they have none, before anything that is written later to
    /// another channel.
    public func line(_ bytes: [UInt8], to channel: LogChannel = .stdout) async throws {
        try await write(bytes[...], to: channel)
        if bytes.last != 0x0A { try await write([0x0A], to: channel) }
        try await flush(channel)
    }
}
