public import MasterKit

/// Takes secrets from the files of a folder, one secret a file.
public struct FileSecrets: SecretProvider {
    /// The name in master.yaml.
    public static let pluginName = "File"

    /// What the provider does.
    public static let summary = "Takes secrets from a folder, one secret a file."

    @Setting("The folder; a relative one is taken from that of the file.", .primary, .notEmpty)
    var directory: String

    @Setting("What may follow the name of a secret in the name of its file, tried in order.")
    var suffixes = [""]

    @Setting("Whether newlines at the end of a file are no part of the secret.")
    var strip = true

    /// Makes a provider to be configured.
    public init() {}

    /// The content of the file; a name that is no file of the folder is not known.
    ///
    /// The folder is listed first, so a name such as `../token` names nothing.
    public func value(of name: String, in context: SecretContext) async throws -> String? {
        let folder = SecretFolder(path: directory, context: context)
        let names = try await folder.names()
        guard let suffix = suffixes.first(where: { names.contains(name + $0) }) else { return nil }
        return try await folder.text(of: name + suffix, strippingNewlines: strip)
    }

    /// All files of the folder that can be secrets.
    ///
    /// What would be refused as one – a folder, a text that everybody may read – is no secret.
    public func inventory(
        of used: Set<String>, in context: SecretContext
    ) async throws -> SecretInventory {
        let folder = SecretFolder(path: directory, context: context)
        var inventory = SecretInventory()
        for file in try await folder.names().sorted().prefix(Self.inventoryLimit) {
            guard let suffix = suffixes.first(where: { file.hasSuffix($0) }) else { continue }
            do {
                let text = try await folder.text(of: file, strippingNewlines: strip)
                inventory.values[String(file.dropLast(suffix.count))] = text
            } catch is SecretFault {
                continue
            }
        }
        return inventory
    }

    /// How many files are read to hide what is in them.
    private static let inventoryLimit = 1_000

    /// Wants at least one suffix.
    public func check(_ settings: SettingsCheck) {
        guard suffixes.isEmpty else { return }
        settings.error(
            "no file has a name with one of no suffixes; leave 'suffixes' out, or name one",
            at: "suffixes")
    }
}
