import MasterKit

extension HTTPRequestSettings {
    /// Sends the request and writes what went over the wire into the logs `log` and `content`.
    ///
    /// - Returns: Success when the status is one; failure when it is none, when there is no answer,
    ///   when a part of it is wanted that is not there, and when what the address came out as is
    ///   none.
    func run(_ method: HTTPMethod, in context: StepContext) async throws -> Results {
        let address: String
        do {
            address = try context.render(url).text
        } catch {
            let log = try await context.openLog("log")
            try await log.line("The request failed: \(error)", to: .stderr)
            return .failure
        }
        guard case .netrc? = try context.render(auth) else {
            return try await run(method, to: address, nil, in: context)
        }
        return try await runWithNetrc(method, to: address, in: context)
    }

    /// A shorter password could not be kept out of the logs.
    private static let shortestPassword = 4

    /// Sends the request with what the `.netrc` file says, the password kept out of all logs.
    private func runWithNetrc(
        _ method: HTTPMethod, to address: String, in context: StepContext
    ) async throws -> Results {
        let credentials: (user: String, password: String)
        do {
            credentials = try await context.netrcCredentials(for: address)
            guard credentials.password.count >= Self.shortestPassword else {
                throw HTTPError(
                    .noCredentials,
                    "the password of the .netrc file has fewer than 4 characters, which can't be "
                        + "kept out of logs; take a longer one")
            }
            try context.hide(credentials.password, as: "netrc")
        } catch let error as HTTPError {
            let log = try await context.openLog("log")
            try await log.line("The request failed: \(error.message)", to: .stderr)
            return .failure
        }
        let authentication = HTTPAuthentication.basic(
            user: credentials.user, password: credentials.password)
        return try await run(method, to: address, authentication, in: context)
    }

    private func run(
        _ method: HTTPMethod, to address: String, _ authentication: HTTPAuthentication?,
        in context: StepContext
    ) async throws -> Results {
        let streams = try context.render(stream)
        let extraction = try context.render(extract)
        if streams, extraction?.needsBody == true { throw RequestConflict.streamAndExtract }
        var request = try request(method, to: address, in: context)
        request.authentication = authentication ?? request.authentication
        let body = try await body(in: context)
        request.body = body.content
        request.hasSensitiveBody = body.holdsSecret
        let log = ExchangeLog(
            log: try await context.openLog("log"),
            requestHeaders: HeaderListing(hiding: try context.render(hideRequestHeaders)),
            responseHeaders: HeaderListing(hiding: try context.render(hideResponseHeaders)))
        let parameters = try context.render(params)?.lines ?? []
        try await log.begin(request, [("Parameters", parameters)] + body.told)
        let run = RequestRun(
            request: request, context: context, log: log, streams: streams,
            streamLimit: try context.render(maxSize)?.bytes,
            success: try context.render(success), extraction: extraction,
            retry: RequestRetry(try context.render(retry), for: method))
        return try await run.run()
    }
}
