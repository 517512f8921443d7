import FoundationEssentials
import MasterTesting
import Subprocess

/// Runs a program with a copy of the top-level master.yaml, as in a new clone.
enum MasterCopy {
    private static let taken = "the port is in use"
    private static let tries = 5

    /// Runs a program until it exits; its reports go to its own receiver, on a separate port.
    static func run(
        _ program: BuiltProgram, _ arguments: [String]
    ) async throws -> BuiltProgram.Ended {
        var ended = try await runOnce(program, arguments)
        for _ in 1..<tries where ended.error.contains(taken) {
            ended = try await runOnce(program, arguments)
        }
        return ended
    }

    private static func runOnce(
        _ program: BuiltProgram, _ arguments: [String]
    ) async throws -> BuiltProgram.Ended {
        let address = "127.0.0.1:\(try await freePort())"
        let arguments = arguments.map { $0 == "--receiver" ? "--receiver=\(address)" : $0 }
        return try await TemporaryFolder.with { folder in
            try folder.copy("master.yaml", to: "master.yaml")
            try folder.copy("Examples", to: "Examples")
            try folder.point("master.yaml", to: address)
            for name in try Checkout.names(in: "Examples") {
                try folder.point("Examples/\(name)/master.yaml", to: address)
            }
            try await makeCheckout(in: folder)
            return try await program.run(arguments, in: folder.path)
        }
    }

    /// Returns a port that was free a moment ago.
    private static func freePort() async throws -> Int {
        try await withLoopbackServer { $0.port }
    }

    /// Turns the folder into a git checkout with one commit.
    static func makeCheckout(in folder: TemporaryFolder) async throws {
        let identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
        for arguments in [["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "First"]] {
            let ended = try await BuiltProgram.run(
                .name("git"), identity + arguments, in: folder.path)
            guard ended.status == 0 else { throw GitFault(description: ended.error) }
        }
    }

    /// A git command failed.
    struct GitFault: Error, CustomStringConvertible {
        let description: String
    }
}
