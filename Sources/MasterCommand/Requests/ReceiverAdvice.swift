internal import MasterReceiver

/// Which option of `run` puts a receiver where reports are sent to.
enum ReceiverAdvice {
    private static let scheme = "http://"
    private static let hosts: Set<String> = ["127.0.0.1", "localhost", "::1"]

    /// The address that a URL leads to, when it is one of this machine; else `nil`.
    static func address(for url: String?) -> ReceiverAddress? {
        guard let url, url.hasPrefix(scheme) else { return nil }
        let place = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        let namesPort = place.reversed().prefix { $0 != "]" }.contains(":")
        guard let address = ReceiverAddress(namesPort ? String(place) : "\(place):80"),
            hosts.contains(address.host)
        else { return nil }
        return address
    }

    /// The option for an address.
    static func option(for address: ReceiverAddress) -> String {
        address == ReceiverAddress() ? "--receiver" : "--receiver=\(address)"
    }
}
