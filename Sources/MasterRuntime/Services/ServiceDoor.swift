internal import GRDB
internal import MasterKit

/// A service's door to its master.
struct ServiceDoor: ServiceHost {
    let name: String
    let master: Master
    let session: HTTPSession

    var secrets: SecretValues { master.environment.secrets }
    var clock: any Clock<Duration> { ContinuousClock() }
    var http: HTTPClient { master.environment.http }

    func submit(_ request: BuildsetRequest, saving state: JSONValue?) async throws -> Submission {
        guard let text = state.map(stored) else { return try await master.submit(request) }
        return try await master.submit(request) { [name] transaction in
            try transaction.keep(state: text, ofService: name)
        }
    }

    func state() async throws -> JSONValue? {
        let text = try await master.environment.store.read { [name] database in
            try database.first(
                "SELECT state FROM service_state WHERE name = ?", [name]
            ) { $0[0] as String }
        }
        return try text.map { try JSONValue(parsing: $0) }
    }

    func save(_ state: JSONValue) async throws {
        let text = stored(state)
        try await master.environment.store.write { [name] transaction in
            try transaction.keep(state: text, ofService: name)
        }
    }

    private func stored(_ state: JSONValue) -> String {
        JSONWriter.compact.string(master.environment.mask.apply(to: state))
    }
}

extension StoreTransaction {
    fileprivate func keep(state: String, ofService name: String) throws {
        try database.run(
            """
            INSERT INTO service_state (name, state) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET state = excluded.state
            """,
            [name, state])
    }
}
