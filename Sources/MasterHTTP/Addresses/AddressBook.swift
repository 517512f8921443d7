import Synchronization

/// Remembers addresses that were taken apart: reporters ask the same few again and again.
///
/// Holds at most 256 of at most 1 KiB each; when it is full it begins anew.
final class AddressBook: Sendable {
    private static let capacity = 256
    private static let longest = 1024

    private let known = Mutex<[String: HTTPAddress]>([:])

    /// The address, from memory or taken apart now.
    func address(_ text: String) throws(HTTPError) -> HTTPAddress {
        guard text.utf8.count <= Self.longest else { return try HTTPAddress(text) }
        if let address = known.withLock({ $0[text] }) { return address }
        let address = try HTTPAddress(text)
        known.withLock { known in
            if known.count >= Self.capacity { known = [:] }
            known[text] = address
        }
        return address
    }
}
