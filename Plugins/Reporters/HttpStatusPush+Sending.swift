import FoundationEssentials
public import MasterKit

extension HttpStatusPush {
    /// Posts a report.
    ///
    /// - Throws: ``DeliveryError`` unless the receiver answers with a status of the 200s.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        let request = try request(for: report, in: context)
        let started = ContinuousClock.now
        let response: HTTPResponse
        do {
            response = try await context.send(request)
        } catch {
            try Task.checkCancellation()
            let reason = context.mask.apply(to: error.message)
            log(started, context) {
                Transcript(of: request, failing: error.message, hiding: context.mask)
            }
            throw DeliveryError(.retry(after: nil), reason)
        }
        log(started, context) {
            Transcript(of: request, answered: response, hiding: context.mask)
        }
        if let error = DeliveryError(response, now: Date(), mask: context.mask) { throw error }
    }

    /// The address that the settings come to at present.
    public func receiver(in context: DeliveryContext) throws -> String? {
        try context.render(serverUrl).text
    }

    private func request(for report: Report, in context: DeliveryContext) throws -> HTTPRequest {
        var request = HTTPRequest(.post, try context.render(serverUrl).text)
        request.recordsRequestHeaders = debug
        let content = report.content
        if let type = content.type {
            request.body = .bytes(content.bytes, contentType: type)
        }
        if let fields = try context.render(headers) {
            request.headers = fields.headers
            request.suppressedHeaders = fields.removed
        }
        for (name, value) in try webhookHeaders(of: content.bytes, in: context) {
            request.headers.set(name, value)
        }
        request.authentication = try context.render(auth)?.authentication
        request.tls = HTTPTLS(try context.render(verify), try context.render(cert))
        request.timeout = HTTPTimeout(reporting: try context.render(timeout))
        request.redirects = .none
        return request
    }

    /// What tells a receiver which delivery this is and who sends it, as Standard Webhooks says.
    private func webhookHeaders(
        of body: [UInt8], in context: DeliveryContext
    ) throws -> [(String, String)] {
        let timestamp = Int(Date().timeIntervalSince1970)
        var headers = [("webhook-id", context.id), ("webhook-timestamp", "\(timestamp)")]
        if let signing = try context.render(signing) {
            let signatures = try signing.signatures(
                id: context.id, timestamp: timestamp, body: body)
            headers.append(("webhook-signature", signatures))
        }
        return headers
    }

    private func log(
        _ start: ContinuousClock.Instant, _ context: DeliveryContext,
        _ transcript: () -> Transcript
    ) {
        guard debug else { return }
        context.logger.info("\(transcript().text(elapsed: .now - start))")
    }
}

extension HTTPTimeout {
    /// The limits of a reporter, which has a limit for the whole as well.
    fileprivate init(reporting limits: TimeLimits?) {
        let connect = limits?.connect ?? .seconds(10)
        let read = limits?.read ?? .seconds(30)
        self.init(
            connect: connect, silence: read,
            total: limits == nil ? .seconds(30) : connect + read)
    }
}

extension Report {
    /// The bytes of the body, and what they are; an empty body is nothing.
    fileprivate var content: (bytes: [UInt8], type: String?) {
        switch body {
        case .json(let value): (JSONWriter.compact.bytes(value), "application/json")
        case .text(let text, let contentType): (Array(text.utf8), contentType)
        case .empty: ([], nil)
        }
    }
}
