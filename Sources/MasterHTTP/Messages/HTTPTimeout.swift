/// How long a request may take.
public struct HTTPTimeout: Sendable, Hashable {
    /// From the start of a hop until the connection stands, name look-up and TLS included.
    public var connect: Duration
    /// With no byte either way, once the connection stands.
    public var silence: Duration
    /// For everything: waiting for a free slot, all redirects, the whole body. Nil is no limit.
    public var total: Duration?

    /// Makes a set of limits; without arguments 10 s to connect, 60 s of silence, no total.
    public init(
        connect: Duration = .seconds(10), silence: Duration = .seconds(60),
        total: Duration? = nil
    ) {
        self.connect = connect
        self.silence = silence
        self.total = total
    }
}
