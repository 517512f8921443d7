internal import MasterReceiver

/// Which option of `run` puts a receiver where reports are sent to.
enum ReceiverAdvice {
    private static let scheme = "http://"
    private static let hosts: Set<String> = ["127.0.0.1", "localhost", "::1"]

    /// The option for an address on this machine; `nil` for any other.
    static func option(for url: String?) -> String? {
        guard let url, url.hasPrefix(scheme) else { return nil }
        let place = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        let namesPort = place.reversed().prefix { $0 != "]" }.contains(":")
        guard let address = ReceiverAddress(namesPort ? String(place) : "\(place):80"),
            hosts.contains(address.host)
        else { return nil }
        return address == ReceiverAddress() ? "--receiver" : "--receiver=\(address)"
    }
}
