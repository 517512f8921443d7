/// Through which proxy a request goes.
public enum HTTPProxies: Sendable, Hashable {
    /// As `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` in the environment say.
    case environment
    /// Through none.
    case none
    /// By scheme, host or both; the most exact key wins.
    ///
    /// The keys are `https://host`, `https`, `all://host`, `all`; the values are proxy URLs
    /// (`http`, `https`, `socks4`, `socks4a`, `socks5`, `socks5h`). What matches no key, or
    /// one with an empty value, goes through no proxy.
    case map([String: String])
}
