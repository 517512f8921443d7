internal import GRDB
internal import MasterKit
internal import MasterRuntime

/// A call of JSON-RPC 2.0: what somebody wants done with a record.
private struct Call {
    let id: JSONValue
    let method: String
    let parameters: JSONObject
    let sender: DataSender

    /// The reason that the sender gives, or one that names the sender.
    var reason: String {
        if let reason = parameters["reason"]?.stringValue, !reason.isEmpty { return reason }
        return sender.isAnonymous ? "stopped by a user" : "stopped by \(sender.name)"
    }

    init(_ request: DataRequest) throws(CallError) {
        let type = request.contentType?.prefix { $0 != ";" }.lowercased()
        guard type?.filter({ $0 != " " }) == "application/json" else {
            throw .invalid("Invalid content-type (use application/json)")
        }
        let parsed: JSONValue
        do {
            parsed = try JSONValue(parsing: request.body)
        } catch {
            throw CallError(400, -32700, "JSON parse error: \(error)")
        }
        if case .array = parsed { throw .invalid("JSONRPC batch requests are not supported") }
        guard case .object(let call) = parsed else {
            throw .invalid("JSONRPC root object must be an object")
        }
        for key in ["jsonrpc", "method", "id", "params"] where call[key] == nil {
            throw .invalid("missing key '\(key)'")
        }
        guard let version = call["jsonrpc"]?.stringValue else {
            throw .invalid("'jsonrpc' must be a string")
        }
        guard let method = call["method"]?.stringValue else {
            throw .invalid("'method' must be a string")
        }
        switch call["id"] {
        case .string, .number, .null: break
        default: throw .invalid("'id' must be a string, number, or null")
        }
        guard let parameters = call["params"]?.objectValue else {
            throw .invalid("'params' must be an object")
        }
        guard version == "2.0" else { throw .invalid("only JSONRPC 2.0 is supported") }
        self.method = method
        self.parameters = parameters
        id = call["id"] ?? .null
        sender = request.sender
    }
}

/// Why a call has no result.
private struct CallError: Error {
    let status: Int
    let code: Int
    let message: JSONValue

    init(_ status: Int, _ code: Int, _ message: JSONValue) {
        self.status = status
        self.code = code
        self.message = message
    }

    init(_ status: Int, _ code: Int, _ message: String) {
        self.init(status, code, .string(message))
    }

    static func invalid(_ message: String) -> CallError { CallError(400, -32600, message) }

    /// Something is wrong with parameters, by name.
    static func parameters(_ faults: JSONObject) -> CallError {
        CallError(400, -32602, .object(faults))
    }

    static func missing(_ path: [String]) -> CallError {
        CallError(404, -32600, "not found: \(path.joined(separator: "/"))")
    }
}

extension DataAPI {
    /// Carries out a call.
    func control(_ request: DataRequest) async -> DataAnswer {
        var id: JSONValue?
        do throws(CallError) {
            let call = try Call(request)
            id = call.id
            let result = try await carryOut(call, request.path)
            return Self.answer(200, ["id": call.id, "jsonrpc": "2.0", "result": result])
        } catch {
            var body: JSONObject = [
                "error": ["code": .int(error.code), "message": error.message]
            ]
            if let id { body["id"] = id }
            body["jsonrpc"] = "2.0"
            return Self.answer(error.status, body)
        }
    }

    private static func answer(_ status: Int, _ body: JSONObject) -> DataAnswer {
        DataAnswer(
            status, headers: [("content-type", "application/json")],
            body: .bytes(DataAnswer.compact.bytes(.object(body))))
    }

    private func carryOut(_ call: Call, _ path: [String]) async throws(CallError) -> JSONValue {
        guard let (endpoint, arguments) = Endpoint.find(path) else {
            throw CallError(404, -32600, DataError.invalidPath(path).message)
        }
        if let refusal = call.sender.refusal { throw CallError(403, -32600, refusal) }
        let action = (endpoint.isItem ? endpoint.resource.type : "", call.method)
        if action == ("forcescheduler", "force") { return try await force(call, path) }
        let known: [(String, String)] = [
            ("build", "stop"), ("build", "rebuild"), ("buildrequest", "cancel"),
            ("buildrequest", "set_priority"), ("scheduler", "enable"), ("worker", "pause"),
            ("worker", "unpause"), ("worker", "stop"), ("worker", "kill"),
        ]
        guard known.contains(where: { $0 == action }) else {
            throw CallError(501, -32601, "action: \(call.method) is not supported")
        }
        switch action {
        case ("build", "stop"):
            let id = try await find(arguments, path) { place, _ in place.build }
            let request = try await attempt { try await master.request(ofRunning: id) }
            // Of one that has ended, another may be running that is made in its place.
            if let request { await master.stop(request: request, reason: call.reason) }
            return .null
        case ("build", _):
            let id = try await find(arguments, path) { place, _ in place.build }
            let submission = try await attempt { try await master.rebuild(id) }
            guard let submission else { throw .missing(path) }
            return submission.result
        case ("buildrequest", "cancel"):
            let id = try await find(arguments, path) { place, _ in place.request }
            await master.stop(request: id, reason: call.reason)
            return .null
        case ("buildrequest", _):
            let id = try await find(arguments, path) { place, _ in place.request }
            guard let priority = call.parameters["priority"]?.wholeNumber else {
                throw .parameters(["priority": "must be a whole number"])
            }
            let isPending = try await attempt { try await master.prioritize(request: id, priority) }
            guard isPending else {
                throw .invalid(
                    "the build request \(id) has begun or ended; only a pending one has a priority")
            }
            return .null
        case ("worker", _):
            let id = try await find(arguments, path) { place, _ in place.worker }
            try await change(worker: id, call, path)
            return .null
        default:
            guard let isEnabled = call.parameters["enabled"]?.boolValue else {
                throw .parameters(["enabled": "must be true or false"])
            }
            guard case .int(let id) = arguments["schedulerid"],
                try await attempt({ try await master.enable(scheduler: id, isEnabled) })
            else { throw .missing(path) }
            return .null
        }
    }

    /// Pauses a worker, lets it build again, or has its process exit after its builds or at once.
    private func change(
        worker id: Int, _ call: Call, _ path: [String]
    ) async throws(CallError) {
        guard let name = master.workers.first(where: { $0.id == id })?.name else {
            throw .missing(path)
        }
        try await attempt {
            switch call.method {
            case "stop": try await master.shutDown(worker: name)
            case "kill": try await master.shutDown(worker: name, isHurried: true)
            case "pause":
                let reason = call.parameters["reason"]?.stringValue ?? ""
                let user = call.sender.isAnonymous ? "a user" : call.sender.name
                try await master.pause(
                    worker: name, reason: reason.isEmpty ? "paused by \(user)" : reason)
            default: try await master.resume(worker: name)
            }
        }
    }

    /// What a path names, or an error if it does not exist.
    private func find(
        _ arguments: Endpoint.Arguments, _ path: [String],
        _ id: @escaping @Sendable (Place, Database) throws -> Int?
    ) async throws(CallError) -> Int {
        let found = try await attempt {
            try await readers.read { database in
                try Place(arguments, in: database).flatMap { try id($0, database) }
            }
        }
        guard let found else { throw .missing(path) }
        return found
    }

    /// Does something with the master; what it refuses is the client's fault.
    private func attempt<Value>(
        _ body: () async throws -> Value
    ) async throws(CallError) -> Value {
        do {
            return try await body()
        } catch let error as MasterError {
            throw .invalid(master.masked(error.message))
        } catch let error as ControlError {
            throw .invalid(master.masked(error.description))
        } catch let error as StoreError where error.code == .conflict {
            throw .invalid(master.masked(error.message))
        } catch {
            throw CallError(500, -32603, master.masked("\(error)"))
        }
    }

    // MARK: Forcing builds

    private func force(_ call: Call, _ path: [String]) async throws(CallError) -> JSONValue {
        let name = path.last ?? ""
        let file = master.current
        let scheduler = file.schedulers.first { $0.name == name }
        guard let form = scheduler.flatMap(file.form) else { throw .missing(path) }
        let isDisabled = try await attempt { try await master.isDisabled(scheduler: name) }
        guard !isDisabled else { throw .invalid("the scheduler '\(name)' is disabled") }
        let builders = try await builders(call.parameters, of: form)
        let request: BuildsetRequest
        do {
            request = try form.request(
                call.parameters, of: builders,
                by: call.sender.isAnonymous ? nil : call.sender.name)
        } catch {
            throw .parameters(error.texts)
        }
        return try await attempt { try await master.submitUnattended(request).result }
    }

    /// The builders that a call names by id or by name; all of the scheduler if it names none.
    private func builders(
        _ parameters: JSONObject, of form: ForceForm
    ) async throws(CallError) -> [String] {
        if let given = parameters["builderid"], !given.isNull {
            guard let id = given.wholeNumber else {
                throw .parameters(["builderid": "must be a whole number"])
            }
            let name = try await attempt {
                try await readers.read { database in
                    try String.fetchOne(
                        database, sql: "SELECT name FROM builder WHERE id = ?", arguments: [id])
                }
            }
            guard let name, form.builders.contains(name) else {
                throw .parameters(["builderid": "the scheduler does not build the builder \(id)"])
            }
            return [name]
        }
        guard let given = parameters["builderNames"], !given.isNull else { return form.builders }
        guard let names = given.arrayValue, !names.isEmpty else {
            throw .parameters(["builderNames": "must be a list of names of builders"])
        }
        return try names.map { name throws(CallError) in
            guard let name = name.stringValue, form.builders.contains(name) else {
                throw .parameters([
                    "builderNames": .string("the scheduler does not build \(name)")
                ])
            }
            return name
        }
    }
}

extension Submission {
    /// The id of the buildset, and those of its requests by their builders.
    fileprivate var result: JSONValue {
        [
            .int(buildset.id),
            .object(JSONObject(requests.map { ("\($0.builderID)", .int($0.id)) })),
        ]
    }
}
