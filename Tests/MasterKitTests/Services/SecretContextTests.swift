import MasterKit
import MasterTesting
import Testing

struct SecretContextTests {
    /// Takes secrets from an HTTP server, after a login.
    private struct Vault: SecretProvider {
        static let summary = "Asks a server."

        @Setting("The server.", .primary) var url: HTTPAddress

        func value(of name: String, in context: SecretContext) async throws -> String? {
            _ = try await context.send(HTTPRequest(.post, try HTTPAddress("\(url.text)/login")))
            let response = try await context.send(
                HTTPRequest(.get, try HTTPAddress("\(url.text)/\(name)")))
            return response.isSuccess ? response.text : nil
        }
    }

    private struct NoMachine: Worker {
        let name = "none"

        func run(
            _ command: Command, input: CommandInput, updates: (CommandUpdate) async throws -> Void
        ) async throws -> CommandResult {
            throw CommandError(.invalid, "this test has no machine")
        }
    }

    @Test func `a provider sends requests, and keeps their cookies`() async throws {
        try await withLoopbackServer { request in
            switch request.target {
            case "/login": .text("welcome", headers: [("Set-Cookie", "session=7")])
            case "/token" where request.header("Cookie") == "session=7": .text("hunter2!")
            default: .text("", status: 404)
            }
        } _: { server in
            let vault = try Vault.configured(["url": .string(server.url)])
            let context = SecretContext(folder: "/", worker: NoMachine())
            #expect(try await vault.value(of: "token", in: context) == "hunter2!")
            #expect(try await vault.value(of: "other", in: context) == nil)
        }
    }
}
