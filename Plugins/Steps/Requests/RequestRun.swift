import MasterKit

extension HTTPRequestSettings {
    /// Sends the request and writes the exchange to the logs `log` and `content`.
    ///
    /// - Returns: Success if the response is one; failure if it is not, if there is no response, if
    ///   a requested value is missing, or if the rendered URL is invalid.
    func run(_ method: HTTPMethod, in context: StepContext) async throws -> Results {
        let address: HTTPAddress
        do {
            address = try context.render(url)
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

    /// Shorter passwords could not be masked in the logs.
    private static let shortestPassword = 4

    /// Sends the request with credentials from the `.netrc` file, masking the password in all logs.
    private func runWithNetrc(
        _ method: HTTPMethod, to address: HTTPAddress, in context: StepContext
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
        _ method: HTTPMethod, to address: HTTPAddress, _ authentication: HTTPAuthentication?,
        in context: StepContext
    ) async throws -> Results {
        let streams = try context.render(stream)
        let extraction = try context.render(extract)
        let success = try context.render(success)
        if streams, extraction?.needsBody == true { throw RequestConflict.streamAndExtract }
        if streams, success?.values.isEmpty == false { throw RequestConflict.streamAndSuccess }
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
            success: success, extraction: extraction,
            retry: RequestRetry(try context.render(retry), for: method))
        return try await run.run()
    }
}

/// A request with everything that determines how it is sent and how its response is evaluated.
struct RequestRun {
    let request: HTTPRequest
    let context: StepContext
    let log: ExchangeLog
    /// Whether to log the response as it arrives, and the maximum number of bytes, if limited.
    let streams: Bool
    let streamLimit: Int?
    /// Which responses are a success; by default those with a status below 400.
    let success: SuccessRule?
    let extraction: Extraction?
    let retry: RequestRetry

    /// Sends the request, with retries if necessary, and logs each attempt.
    ///
    /// - Returns: The result of the last attempt: success or failure.
    func run() async throws -> Results {
        var attempt = 1
        while true {
            let outcome = try await outcome()
            guard attempt < retry.attempts, retry.covers(outcome) else {
                return try await end(outcome)
            }
            let wait = retry.wait(after: attempt, outcome)
            attempt += 1
            try await log.announce(
                attempt, of: retry.attempts, in: wait.duration, isAskedFor: wait.isAskedFor)
            try await context.sleep(for: wait.duration)
        }
    }

    /// Makes one attempt.
    private func outcome() async throws -> RequestOutcome {
        do {
            let (response, findings) = try await streams ? stream() : send()
            if let findings { try await log.findings(findings) }
            let refusal = refusal(in: response)
            if let refusal { try await log.refusal(refusal) }
            return .answer(response, findings, refusal: refusal)
        } catch let error as HTTPError {
            try Task.checkCancellation()
            try await log.fault(error, showsContent: extraction?.hasSecrets != true)
            return .fault(error)
        }
    }

    private func isSuccess(_ status: Int) -> Bool {
        success?.statuses?.contains(status) ?? (status < 400)
    }

    /// Why the body of a response with a good status is not a success.
    private func refusal(in response: HTTPResponse) -> String? {
        guard isSuccess(response.status) else { return nil }
        let showsTexts = extraction?.hasSecrets != true
        return success?.fault(inBody: response.final.body, showsTexts: showsTexts)
    }

    /// The values extracted from a response; hides those that are secret.
    private func findings(in response: HTTPResponse) -> Extraction.Findings {
        extraction?.findings(in: response.final, hidingSecretsWith: context.mask)
            ?? Extraction.Findings()
    }

    /// Sends the request. The findings are `nil` unless the status is a success; what a response
    /// with another status has of secrets is hidden all the same.
    private func send() async throws -> (HTTPResponse, Extraction.Findings?) {
        let response = try await context.send(request)
        let findings = findings(in: response)
        let isSuccess = isSuccess(response.status)
        var contents = response.exchanges.map { LoggedContent($0) }
        if isSuccess ? findings.lacksSecret : findings.hasOpenSecret {
            contents[contents.count - 1] = LoggedContent(withheld: response.final)
        }
        try await log.exchanges(response.exchanges, contents)
        for content in contents {
            try await content.write(to: context.openLog("content"))
        }
        return (response, isSuccess ? findings : nil)
    }

    /// Sends the request, writing the response to the log `content` as it arrives.
    private func stream() async throws -> (HTTPResponse, Extraction.Findings?) {
        let content = StreamedContent(log: try await context.openLog("content"), limit: streamLimit)
        let response = try await context.send(request) { piece in
            try await content.take(piece[...])
        }
        let contents = response.history.map { LoggedContent($0) }
        let final = LoggedContent(elsewhere: content.byteCount, of: response.final)
        try await log.exchanges(response.exchanges, contents + [final])
        if content.isBinary { try await final.write(to: content.log) }
        return (response, isSuccess(response.status) ? findings(in: response) : nil)
    }

    /// Sets the properties and the summary.
    private func end(_ outcome: RequestOutcome) async throws -> Results {
        guard case .answer(let response, let findings, let refusal) = outcome else {
            return .failure
        }
        var summary = "Status code: \(response.status)"
        if let refusal { summary += ", \(refusal)" }
        if let missing = findings?.missing, !missing.isEmpty {
            summary += ", no " + missing.map(\.property).joined(separator: ", ")
        }
        await context.setSummary(summary)
        guard outcome.isSuccess, let findings else { return .failure }
        for (property, value) in findings.values {
            try await context.setProperty(property, to: value)
        }
        return .success
    }
}

/// The outcome of one attempt.
enum RequestOutcome {
    /// A response, with the extracted values (`nil` if its status is not a success), and why its
    /// body is not a success.
    case answer(HTTPResponse, Extraction.Findings?, refusal: String?)
    /// An error without a response.
    case fault(HTTPError)

    /// Whether the step succeeds.
    var isSuccess: Bool {
        guard case .answer(_, let findings?, nil) = self else { return false }
        return findings.missing.isEmpty
    }
}
