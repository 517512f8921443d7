package import MasterKit

/// A server of a master that stays up, such as its web page. It follows the configuration.
package protocol MasterServer: Sendable {
    /// Gets ready for a configuration: the first, or the one that is to replace it.
    ///
    /// What can fail happens here, such as listening on another port. Nothing that is in force may
    /// change.
    /// - Throws: An error whose description can be shown to the user. A master that starts then
    ///   exits; one that runs keeps its configuration.
    func prepare(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, for master: Master
    ) async throws -> any PreparedServer

    /// Ends all connections. Called once, when the builds have ended.
    func stop() async
}

/// A server that is ready for a configuration. One of its functions is called, once.
package protocol PreparedServer: Sendable {
    /// Puts the configuration in force.
    func apply() async

    /// Gives up the configuration, because something else could not be prepared.
    func discard() async
}

extension [any MasterServer] {
    /// Prepares the servers for a configuration, all or none.
    func prepare(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, for master: Master
    ) async throws -> [any PreparedServer] {
        var prepared: [any PreparedServer] = []
        do {
            for server in self {
                prepared.append(try await server.prepare(configuration, secrets, for: master))
            }
        } catch {
            await prepared.discard()
            throw error
        }
        return prepared
    }
}

extension [any PreparedServer] {
    func apply() async {
        for server in self { await server.apply() }
    }

    func discard() async {
        for server in reversed() { await server.discard() }
    }
}
