import Glibc

/// The proxies an environment names, read once.
struct EnvironmentProxies: Sendable {
    private let byScheme: [String: String]
    private let fallback: String?
    private let exceptions: NoProxyList

    /// Reads the environment given, or else the process's.
    init(_ environment: [String: String]?) {
        let read: (String) -> String? = { name in
            let value =
                if let environment { environment[name] } else { Self.variable(name) }
            return value.flatMap { $0.isEmpty ? nil : $0 }
        }
        let either: (String) -> String? = { read($0) ?? read($0.uppercased()) }
        var byScheme: [String: String] = [:]
        // Under CGI, HTTP_PROXY is a header the other side sent.
        byScheme["http"] = read("REQUEST_METHOD") == nil ? either("http_proxy") : read("http_proxy")
        byScheme["https"] = either("https_proxy")
        self.byScheme = byScheme
        fallback = either("all_proxy")
        exceptions = NoProxyList(either("no_proxy") ?? "")
    }

    /// The URL of the proxy for an address, or nil to go there directly.
    func proxy(for address: HTTPAddress) -> String? {
        guard let proxy = byScheme[address.scheme] ?? fallback else { return nil }
        return exceptions.matches(address) ? nil : proxy
    }

    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}
