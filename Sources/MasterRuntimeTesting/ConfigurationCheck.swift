public import MasterKit
import MasterRuntime
@_exported public import MasterTesting

/// Checks a master.yaml like `buildmaster check`.
///
/// ```swift
/// #expect(try check(file: "master.yaml", plugins: [standardPlugins, plugins]) == [])
/// ```
///
/// - Parameters:
///   - path: The path of the file.
///   - plugins: The plugins that it may name.
///   - environment: The environment variables for `!Env`.
/// - Returns: The errors and warnings, sorted, as `ConfigurationFixture` shows them:
///   `line:column: severity: message`.
/// - Throws: `Registry.DuplicateKey` if two plugins have the same key.
public func check(
    file path: String, plugins: [PluginBundle], environment: [String: String] = [:]
) throws -> [String] {
    let loaded = MasterConfiguration.load(
        path: path, registry: try Registry(plugins), environment: environment)
    return ConfigurationFixture.words(loaded.diagnostics)
}

/// Checks the text of a master.yaml like `buildmaster check`.
///
/// ```swift
/// #expect(
///     try check("steps: [steps.CountLines: {pth: a}]", plugins: [plugins]) == [
///         "1:29: error: steps.CountLines has no setting 'pth'; did you mean 'path'?"
///     ])
/// ```
///
/// - Parameters:
///   - text: The text.
///   - plugins: The plugins that it may name.
///   - environment: The environment variables for `!Env`.
/// - Returns: The errors and warnings, sorted: `line:column: severity: message`.
/// - Throws: `Registry.DuplicateKey` if two plugins have the same key, or an error of the file
///   system.
public func check(
    _ text: String, plugins: [PluginBundle], environment: [String: String] = [:]
) async throws -> [String] {
    try await withTemporaryFolder { folder in
        try folder.write(text, to: "master.yaml")
        return try check(
            file: "\(folder.path)/master.yaml", plugins: plugins, environment: environment)
    }
}

extension TemporaryFolder {
    /// A worker that runs commands on this machine, in this folder: it deletes and overwrites nothing
    /// outside of it.
    public var localWorker: any Worker { LocalWorker(root: path) }
}
