package import GRDB

/// Read-only connections to the store of a running master, for queries of clients.
///
/// They are apart from those of builds and reports, so that a slow query holds up neither. Each
/// read sees one committed state.
package final class StoreReaders: Sendable {
    /// The number of queries that run at once; others wait.
    private static let count = 4

    private let pool: DatabasePool

    /// Opens the store of a folder that a master of this process uses.
    package init(folder: String) throws(StoreError) {
        let path = folder + "/" + StoreOpening.fileName
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = Self.count
        configuration.label = "web"
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
        } catch {
            throw StoreError(reading: error, at: path)
        }
    }

    /// Runs queries off the cooperative pool; a task that is cancelled interrupts them.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await pool.read(body)
        } catch let error as DatabaseError {
            throw StoreError(reading: error, at: pool.path)
        }
    }
}
