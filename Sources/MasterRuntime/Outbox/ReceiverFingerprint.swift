import Crypto
import FoundationEssentials
import MasterKit

extension OutboxEnvironment {
    /// What tells the present address of a reporter from others without showing it.
    ///
    /// - Returns: `nil` for a reporter without one, or when it cannot be computed at present.
    func fingerprint(of recipient: Recipient) -> String? {
        let id = DeliveryID(store: storeID, reporter: recipient.id, event: 0, part: 0)
        do {
            let context = context(for: recipient, id: id, attempt: 0)
            guard let address = try recipient.reporter.receiver(in: context) else { return nil }
            let key = SymmetricKey(data: Array("\(id)".utf8))
            let code = HMAC<SHA256>.authenticationCode(for: Array(address.utf8), using: key)
            return Data(code).base64EncodedString()
        } catch {
            // Every try to send says why; until then it counts as the address it was.
            return nil
        }
    }
}
