import MasterKit

/// Builds some builders after another one has succeeded.
struct Chain: MasterService {
    static let summary = "Builds builders after another one has succeeded."

    @Setting("The builder to wait for.", .notEmpty) var after: String
    @Setting("The builders to build then.", .notEmpty) var builderNames: [String]

    let wantedEvents: Set<EventKind> = [.buildFinished]

    func run(in context: ServiceContext) async throws {
        for await case .event(let build) in context.events
        where build.builderName == after && build.results == .success {
            let reason = "\(after) succeeded"
            try await context.submit(BuildsetRequest(builders: builderNames, reason: reason))
        }
    }
}
