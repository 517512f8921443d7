/// A plugin that provides the values of secrets.
///
/// Providers are asked in the order of master.yaml, before the first build; the first one that
/// knows a name provides its value. If a provider fails, no later one is asked: it might have a
/// different value under that name.
public protocol SecretProvider: Plugin where Options == NoOptions {
    /// Returns the value of a secret.
    ///
    /// - Parameters:
    ///   - name: The name of the secret, any string from master.yaml.
    ///   - context: The provider's access to files and programs.
    /// - Returns: The value, or `nil` if this provider does not know the name.
    /// - Throws: An error whose description can be shown to the user if the provider itself fails.
    func value(of name: String, in context: SecretContext) async throws -> String?

    /// Returns the name of the secret whose value an environment variable holds, or `nil` if this
    /// provider does not read that variable.
    func secret(inEnvironmentVariable name: String) -> String?

    /// Returns where the provider looks for a secret, such as `variable SECRET_token`, for the
    /// message that it was not found; by default nothing.
    func place(ofSecret name: String) -> String?

    /// Returns further secrets of the provider, which are masked in all output.
    ///
    /// Called once, after all values have been requested; by default there are none.
    ///
    /// - Parameters:
    ///   - used: The names of the secrets that master.yaml uses.
    ///   - context: The provider's access to files and programs.
    /// - Returns: Secrets that commands could read, used or not.
    /// - Throws: An error whose description can be shown to the user if the provider itself fails.
    func inventory(of used: Set<String>, in context: SecretContext) async throws -> SecretInventory
}

/// The secrets of a provider that commands could read and print.
public struct SecretInventory: Sendable {
    /// Values by name; they are masked in all output.
    public var values: [String: String]
    /// Variables of the master's environment that hold the secrets; they are not passed to
    /// commands.
    public var variables: Set<String>

    /// Creates an inventory, empty by default.
    public init(values: [String: String] = [:], variables: Set<String> = []) {
        self.values = values
        self.variables = variables
    }
}

extension SecretProvider {
    /// No further secrets.
    public func inventory(
        of used: Set<String>, in context: SecretContext
    ) async throws -> SecretInventory {
        SecretInventory()
    }

    /// The namespace `secrets`.
    public static var namespace: PluginNamespace { PluginKind.secrets.namespace }

    /// No secret, for providers that do not read the environment.
    public func secret(inEnvironmentVariable name: String) -> String? { nil }

    /// No place.
    public func place(ofSecret name: String) -> String? { nil }
}

/// A secret provider as declared in master.yaml.
package typealias SecretProviderDeclaration = PluginDeclaration<any SecretProvider, NoOptions>

extension PluginKind<any SecretProvider, NoOptions> {
    /// The plugin kind for secret providers.
    public static var secrets: Self { Self("secrets", scope: .service) }
}

/// The interface of a secret provider to the folder of master.yaml, to commands, and to HTTP.
///
/// A provider accesses files and programs only through ``run(_:updates:)``, which never blocks the
/// threads that run builds.
public struct SecretContext: Sendable {
    /// The folder of master.yaml, absolute; relative paths are resolved against it.
    public let folder: String
    private let worker: any Worker
    private let http: HTTPClient
    private let session: HTTPSession

    /// Creates a context.
    ///
    /// - Parameters:
    ///   - folder: The folder of master.yaml, absolute.
    ///   - worker: The master's machine, which resolves relative paths against that folder.
    ///   - http: The client for requests.
    public init(folder: String, worker: any Worker, http: HTTPClient = HTTPClient()) {
        self.folder = folder
        self.worker = worker
        self.http = http
        session = http.makeSession()
    }

    /// Sends an HTTP request, for example to a secret store; cookies are kept between requests.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        try await http.send(request, in: session)
    }

    /// Runs a command on the master's machine, in the folder of master.yaml.
    ///
    /// - Parameters:
    ///   - command: What to run; a relative path is resolved against the folder.
    ///   - updates: Called for each update, in order; the command waits for it.
    /// - Returns: How the command ended.
    /// - Throws: ``CommandError`` if it could not be run, or any error thrown by `updates`.
    public func run(
        _ command: Command, updates: (CommandUpdate) async throws -> Void = { _ in }
    ) async throws -> CommandResult {
        try await worker.run(command, updates: updates)
    }
}
