import MasterKit

/// Knows a few secrets.
struct Vault: SecretProvider {
    static let summary = "Knows a few secrets."

    @Setting("The script that it runs when it starts and stops.") var script: String?

    func value(of name: String, in context: SecretContext) async throws -> String? {
        switch name {
        case "token": "s3cr3t-value"
        case "short": "1234567"
        case "tiny": "abc"
        case "broken": throw Locked()
        default: nil
        }
    }

    struct Locked: Error, CustomStringConvertible {
        let description = "the vault is locked"
    }
}
