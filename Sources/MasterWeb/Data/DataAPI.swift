internal import MasterKit
package import MasterRuntime

/// Answers requests to the data API, version 2, as stock clients send them.
///
/// It knows no server: whoever has one passes requests on, having checked `Host`, `Origin` and who
/// the sender is.
package struct DataAPI: Sendable {
    /// The most rows in the answer to one request for a table of the store.
    package static let maximumRowCount = 1000

    let master: Master
    let readers: StoreReaders

    /// Opens connections to the store of a running master.
    package init(_ master: Master) throws(StoreError) {
        self.master = master
        readers = try StoreReaders(folder: master.basedir)
    }

    /// Answers a request; whatever it contains, the answer is a valid one.
    ///
    /// The answer to HEAD is that to GET, of which the server sends the headers only.
    package func answer(_ request: DataRequest) async -> DataAnswer {
        do throws(DataError) {
            switch request.method {
            case "GET", "HEAD": return try await get(request)
            case "POST": return await control(request)
            default: throw DataError(.badRequest, "invalid HTTP method")
            }
        } catch {
            return DataAnswer(error)
        }
    }

    private func get(_ request: DataRequest) async throws(DataError) -> DataAnswer {
        if request.path == ["openapi.json"] { return DataAnswer(OpenAPI.document, request) }
        let (endpoint, query, outcome) = try await find(request.path, request.query)
        let plural = endpoint.resource.plural
        switch outcome {
        case .item(let record):
            let body: JSONObject = [plural: [record], "meta": [:]]
            return DataAnswer(.object(body.sorted()), request)
        case .page(let rows, let total):
            let body: JSONObject = [plural: .array(rows), "meta": ["total": .int(total)]]
            return DataAnswer(.object(body.sorted()), request)
        case .log(let log): return try await answer(log, query, request)
        }
    }

    // MARK: Records

    /// Reads the records that a path names, as its answer contains them.
    ///
    /// - Returns: The records, or `nil` if the path names one that does not exist.
    func records(
        _ path: [String], _ items: [(name: String, value: String)]
    ) async throws(DataError) -> [JSONObject]? {
        do {
            let (_, query, outcome) = try await find(path, items)
            switch outcome {
            case .item(let record): return [record].compactMap(\.objectValue)
            case .page(let rows, _): return rows.compactMap(\.objectValue)
            case .log(let log):
                return [try await contents(of: log, query)].compactMap(\.objectValue)
            }
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    /// Reads the logs of all steps of a build, for which clients need a request for each step.
    func logs(ofBuild id: Int) async throws(DataError) -> [JSONObject] {
        var logs: [JSONObject] = []
        while true {
            let query = try DataQuery(
                [("offset", "\(logs.count)")], of: Endpoint.logsOfBuild.resource)
            guard
                case .page(let rows, let total)? = try await read(
                    .logsOfBuild, query, ["buildid": .int(id)])
            else { return logs }
            logs += rows.compactMap(\.objectValue)
            if rows.isEmpty || logs.count >= total { return logs }
        }
    }

    private func find(
        _ path: [String], _ items: [(name: String, value: String)]
    ) async throws(DataError) -> (Endpoint, DataQuery, Reading.Outcome) {
        guard let (endpoint, arguments) = Endpoint.find(path) else { throw .invalidPath(path) }
        let query = try DataQuery(items, of: endpoint.resource)
        guard let outcome = try await read(endpoint, query, arguments) else {
            throw .missing(path)
        }
        return (endpoint, query, outcome)
    }

    private func read(
        _ endpoint: Endpoint, _ query: DataQuery, _ arguments: Endpoint.Arguments
    ) async throws(DataError) -> Reading.Outcome? {
        let reading = Reading(
            endpoint: endpoint, query: query, arguments: arguments, state: MasterState(master))
        do {
            return try await readers.read { try reading.outcome(in: $0) }
        } catch {
            throw DataError(.failed, master.masked("\(error)"))
        }
    }
}

/// A request to the data API.
package struct DataRequest: Sendable {
    /// The method, such as `GET`.
    package var method: String
    /// The path below `/api/v2`, split at slashes and percent-decoded; a slash at the end makes an
    /// empty last part.
    package var path: [String]
    /// The items of the query, decoded, in order.
    package var query: [(name: String, value: String)]
    /// The value of `Content-Type`.
    package var contentType: String?
    /// The body.
    package var body: [UInt8]
    /// Whether `Accept` contains `application/json`; otherwise JSON is indented for people.
    package var acceptsJSON: Bool
    package var sender: DataSender

    package init(
        _ method: String = "GET", _ path: [String], query: [(name: String, value: String)] = [],
        contentType: String? = nil, body: [UInt8] = [], acceptsJSON: Bool = true,
        sender: DataSender = DataSender()
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.contentType = contentType
        self.body = body
        self.acceptsJSON = acceptsJSON
        self.sender = sender
    }
}

/// Who sends a request, as far as the server knows.
package struct DataSender: Sendable {
    /// The e-mail address or name, which becomes the owner of builds.
    package var name: String
    /// Why the sender must not control anything, for the answer; `nil` if it may.
    package var refusal: String?

    /// Whether the server does not know who it is.
    var isAnonymous: Bool { name == "anonymous" }

    package init(name: String = "anonymous", refusal: String? = nil) {
        self.name = name
        self.refusal = refusal
    }
}

/// An answer of the data API.
package struct DataAnswer: Sendable {
    /// What follows the headers.
    package enum Body: Sendable {
        /// A whole body.
        case bytes([UInt8])
        /// A log, read while it is sent.
        case stream(LogDownload)
    }

    /// The HTTP status code.
    package let status: Int
    /// The headers, with lower-case names; neither the length nor one of the server's own.
    package let headers: [(name: String, value: String)]
    package let body: Body

    init(_ status: Int = 200, headers: [(name: String, value: String)], body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
