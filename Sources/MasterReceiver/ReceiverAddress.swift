/// A host and a port to listen on.
public struct ReceiverAddress: Sendable, Hashable {
    /// The name or number of the host; an IPv6 number without brackets.
    public var host: String
    /// The port; 0 stands for any free one.
    public var port: Int

    /// Makes an address, by default the one that is used when none is named.
    public init(host: String = "127.0.0.1", port: Int = 9980) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, `:PORT`, `PORT`, `HOST` or `[IPV6]:PORT`; `nil` for anything else.
    ///
    /// What is left out has the default: 127.0.0.1 and 9980.
    public init?(_ text: String) {
        self.init()
        var rest = text[...]
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
        } else if Int(rest) == nil {
            let name = rest.prefix { $0 != ":" }
            rest = rest[name.endIndex...]
            if !name.isEmpty { host = String(name) }
        } else {
            rest = ":" + rest
        }
        guard !text.isEmpty, !host.isEmpty, !host.contains(where: \.isWhitespace) else {
            return nil
        }
        guard !rest.isEmpty else { return }
        guard let port = Int(rest.dropFirst()), (0...65535).contains(port) else { return nil }
        self.port = port
    }
}

extension ReceiverAddress: CustomStringConvertible {
    /// The address as `HOST:PORT`.
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
