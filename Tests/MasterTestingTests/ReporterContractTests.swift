import MasterKit
import Testing

@testable import MasterTesting

/// The contract of reporters finds what is broken.
@Suite(.timeLimit(.minutes(2)))
struct ReporterContractTests {
    private struct Faulty: Reporter {
        enum Fault: String, SettingEnumeration {
            case none, refusesStarts, accepts500, rejects500, acceptsFaults, acceptsRejections
            case forgetsWait, ignoresCancellation, numbersRequests, ownID, quotesSecret,
                sendsNothing
            case logsSecret, skipsRejections
        }

        static let summary = "Posts builds."
        @Setting("Where to.") var url: Renderable<HTTPAddress>
        @Setting("What is wrong with it.") var fault = Fault.none
        @Setting("A secret.") var token: Renderable<String>?
        private let count = Counter()

        func send(_ report: Report, in context: DeliveryContext) async throws {
            guard fault != .sendsNothing else { return }
            if fault == .refusesStarts, report.results == nil {
                throw DeliveryError(.reject, "there is no result")
            }
            var request = HTTPRequest(.post, try context.render(url))
            let token = try context.render(token) ?? ""
            request.headers["Authorization"] = "Bearer \(token)"
            request.headers["webhook-id"] = fault == .ownID ? "mine" : context.id
            if fault == .numbersRequests { request.headers["X-Number"] = "\(count.next())" }
            if fault == .logsSecret { context.logger.info("sending with \(token.suffix(9))") }
            guard case .json(let build) = report.body else { return }
            request.body = .json(JSONWriter.compact.bytes(build))
            let answer: HTTPResponse
            do {
                answer = try await response(to: request, in: context)
            } catch  where fault == .acceptsFaults && !Task.isCancelled {
                return
            }
            try check(answer)
        }

        private func response(
            to request: HTTPRequest, in context: DeliveryContext
        ) async throws -> HTTPResponse {
            guard fault == .ignoresCancellation else { return try await context.send(request) }
            return try await Task { try await context.send(request) }.value
        }

        private func check(_ answer: HTTPResponse) throws {
            guard !answer.isSuccess else { return }
            if fault == .accepts500, answer.status == 500 { return }
            if fault == .rejects500, answer.status == 500 {
                throw DeliveryError(.reject, "the answer is 500")
            }
            if fault == .acceptsRejections, answer.status == 404 { return }
            if fault == .skipsRejections, answer.status == 404 {
                throw DeliveryError(.nothingToSend, "nobody is there")
            }
            let wait = answer.headers["Retry-After"].flatMap { Int($0) }.map {
                Duration.seconds($0)
            }
            let words = answer.text.split(separator: "\n").first { $0.hasPrefix("Authorization") }
            throw DeliveryError(
                .retry(after: fault == .forgetsWait ? nil : wait),
                fault == .quotesSecret ? "it says: \((words ?? "").prefix(35))" : "it failed")
        }
    }

    @Test(
        arguments: [
            ("none", nil), ("refusesStarts", .doesItsWork), ("sendsNothing", .doesItsWork),
            ("accepts500", .retriesFailures), ("rejects500", .retriesFailures),
            ("acceptsFaults", .retriesFailures), ("acceptsRejections", .throwsWhenRejected),
            ("forgetsWait", .waitsAsAsked), ("ignoresCancellation", .endsWhenCancelled),
            ("numbersRequests", .repeatsTheRequest), ("ownID", .sendsTheDeliveryID),
            ("skipsRejections", .throwsWhenRejected), ("quotesSecret", .hidesSecrets),
            ("logsSecret", .hidesSecrets),
        ] as [(String, PluginPromise?)])
    func `what is wrong with a reporter is found`(
        _ fault: String, _ promise: PluginPromise?
    ) async throws {
        let isSlow = fault == "ignoresCancellation"
        let contract = ReporterContract(Faulty.self, limit: isSlow ? .seconds(3) : .seconds(60)) {
            url in
            ["url": .string(url), "fault": .string(fault), "token": .secret("token")]
        }
        let broken = try await contract.brokenPromises().map(\.promise)
        // With the short limit a busy machine may cause others.
        if isSlow {
            #expect(promise.map(broken.contains) == true)
        } else {
            #expect(broken == [promise].compactMap(\.self))
        }
    }

    @Test func `a reporter without HTTP delivers its reports`() async throws {
        try await ReporterContract(RecordingReporter.self, [:]).verify()
        let broken = try await ReporterContract(RecordingReporter.self, ["answers": ["reject"]])
            .brokenPromises()
        #expect(broken.map(\.promise) == [.doesItsWork])
    }
}
