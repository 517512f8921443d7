internal import MasterKit

/// Starts plugins before they are used and stops them afterwards.
struct PluginLife: Sendable {
    private let instances: [PluginInstance]

    /// The life of plugins in the order of their start; one that is listed twice starts once.
    init(_ instances: [PluginInstance]) {
        var seen: Set<ObjectIdentifier> = []
        self.instances = instances.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// Runs a body between start and stop; a plugin whose start failed is stopped, too.
    func run<Value>(_ body: () async throws -> Value) async throws -> Value {
        var begun: [any Plugin] = []
        do {
            for instance in instances {
                begun.append(instance.plugin)
                do {
                    try await instance.plugin.start()
                } catch {
                    throw MasterError(.plugin, "\(instance.key) could not start: \(error)")
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
