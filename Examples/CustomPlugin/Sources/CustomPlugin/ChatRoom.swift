import MasterKit

/// Announces finished builds in a chat room.
struct ChatRoom: Reporter {
    static let summary = "Announces finished builds in a chat room."

    @Setting("Incoming-webhook address of the room.", .primary, .secret)
    var url: Renderable<HTTPAddress>

    @Setting("Which results to announce.")
    var announce: [Results] = [.success, .warnings, .failure, .exception]

    func send(_ report: Report, in context: DeliveryContext) async throws {
        guard case .json(let build) = report.body, let results = report.results,
            announce.contains(results)
        else { throw DeliveryError(.nothingToSend, "the room is not told of this") }
        let builder = build["builder"]?["name"]?.stringValue ?? "a builder"
        let text: JSONValue = ["text": .string("\(builder): \(results.name)")]
        var request = HTTPRequest(.post, try context.render(url))
        request.body = .json(JSONWriter.compact.bytes(text))
        let response = try await context.send(request)
        if let error = DeliveryError(answering: response, in: context) { throw error }
    }
}
