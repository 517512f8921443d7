internal import MasterKit

/// Starts the plugins of a configuration before they are used and stops them afterwards.
struct PluginLife: Sendable {
    private let plugins: [(key: PluginKey, plugin: any Plugin)]

    /// The life of what the builds and reports of a configuration use.
    init(_ configuration: MasterConfiguration) {
        let reporters = configuration.reporters.flatMap { declaration in
            let generators = declaration.generators
            let parts: [any Plugin] = generators.flatMap(\.formatters) + generators
            return parts.map { (type(of: $0).key, $0) } + [(declaration.key, declaration.plugin)]
        }
        var seen: Set<StepIdentity> = []
        let steps = configuration.builders.flatMap(\.steps)
            .filter { seen.insert(StepIdentity(key: $0.key, range: $0.range)).inserted }
            .map { ($0.key, $0.plugin as any Plugin) }
        plugins = reporters + steps
    }

    /// The life of providers of secrets.
    init(_ providers: [PluginDeclaration<any SecretProvider>]) {
        plugins = providers.map { ($0.key, $0.plugin) }
    }

    /// Runs a body between start and stop; a plugin whose start failed is stopped, too.
    func run<Value>(_ body: () async throws -> Value) async throws -> Value {
        var begun: [any Plugin] = []
        do {
            for (key, plugin) in plugins {
                begun.append(plugin)
                do {
                    try await plugin.start()
                } catch {
                    throw MasterError(.plugin, "\(key) could not start: \(error)")
                }
            }
            let value = try await body()
            await stop(begun)
            return value
        } catch {
            await stop(begun)
            throw error
        }
    }

    private func stop(_ plugins: [any Plugin]) async {
        for plugin in plugins.reversed() { await plugin.stop() }
    }
}

/// A declaration of a step; builders that share a factory share its steps.
private struct StepIdentity: Hashable {
    let key: PluginKey
    let range: SourceRange?
}
