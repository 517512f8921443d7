/// A plugin that knows the values of secrets.
///
/// Providers are asked in the order of master.yaml, before the first build; the first that knows
/// a name gives its value. A provider that fails ends the asking: what another one has under the
/// name need not be the same.
public protocol SecretProvider: Plugin where Options == NoOptions {
    /// The value of a secret.
    ///
    /// - Parameters:
    ///   - name: The name of the secret, any text that master.yaml has.
    ///   - context: What the provider sees of the world.
    /// - Returns: The value, `nil` when this provider does not know the name.
    /// - Throws: An error with a sentence for people when the provider itself fails.
    func value(of name: String, in context: SecretContext) async throws -> String?

    /// The name of the secret whose value an environment variable has, `nil` when this provider does
    /// not look for it there.
    func secret(inEnvironmentVariable name: String) -> String?

    /// What the provider has beside the secrets it is asked for, to be kept out of sight.
    ///
    /// Called once, after all values were asked for; by default it has nothing.
    ///
    /// - Parameters:
    ///   - used: The names of the secrets that master.yaml uses.
    ///   - context: What the provider sees of the world.
    /// - Returns: Secrets that commands could come across, used or not.
    /// - Throws: An error with a sentence for people when the provider itself fails.
    func inventory(of used: Set<String>, in context: SecretContext) async throws -> SecretInventory
}

/// The secrets of a provider that commands could come across.
public struct SecretInventory: Sendable {
    /// Values by their names; they are replaced in all output.
    public var values: [String: String]
    /// Variables of the master's environment that hold them; commands do not get these.
    public var variables: Set<String>

    /// Makes an inventory, by default an empty one.
    public init(values: [String: String] = [:], variables: Set<String> = []) {
        self.values = values
        self.variables = variables
    }
}

extension SecretProvider {
    /// Null.
    public func inventory(
        of used: Set<String>, in context: SecretContext
    ) async throws -> SecretInventory {
        SecretInventory()
    }

    /// The namespace `secrets`.
    public static var namespace: PluginNamespace { PluginKind.secrets.namespace }

    /// None, for providers that take nothing from the environment.
    public func secret(inEnvironmentVariable name: String) -> String? { nil }
}

/// A provider of secrets as master.yaml declares it.
public typealias SecretProviderDeclaration = PluginDeclaration<any SecretProvider, NoOptions>

extension PluginKind<any SecretProvider, NoOptions> {
    /// Providers of secrets.
    public static var secrets: Self { Self("secrets", scope: .service) }
}

/// What a provider of secrets sees of the world.
///
/// A provider reaches files and programs through ``run(_:updates:)`` alone, which never blocks the
/// threads on which builds run.
public struct SecretContext: Sendable {
    /// The folder of the master.yaml, absolute; relative paths are taken from it.
    public let folder: String
    private let worker: any Worker

    /// Makes a context.
    ///
    /// - Parameters:
    ///   - folder: The folder of the master.yaml, absolute.
    ///   - worker: The machine of the master, whose relative paths start from that folder.
    public init(folder: String, worker: any Worker) {
        self.folder = folder
        self.worker = worker
    }

    /// Runs a command on the machine of the master, in the folder of the master.yaml.
    ///
    /// - Parameters:
    ///   - command: What to run; a relative path is taken from the folder.
    ///   - updates: Called for each piece of output, in order; the command waits for it.
    /// - Returns: How the command ended.
    /// - Throws: ``CommandError`` when it could not be run; what `updates` throws.
    public func run(
        _ command: Command, updates: (CommandUpdate) async throws -> Void = { _ in }
    ) async throws -> CommandResult {
        try await worker.run(command, updates: updates)
    }
}
