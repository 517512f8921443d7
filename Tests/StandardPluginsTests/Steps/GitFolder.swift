import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

/// Real repositories in a folder with one for builds.
struct GitFolder {
    let folder: StepFolder

    static func with<Value>(_ body: (GitFolder) async throws -> Value) async throws -> Value {
        try await StepFolder.with { folder in
            let git = GitFolder(folder: folder)
            try await git.makeRepository("source")
            return try await body(git)
        }
    }

    struct Run {
        let results: Results
        let harness: StepHarness
        var log: String { harness.log("stdio")?.content ?? "" }
        var revision: JSONValue? { harness.properties["got_revision"] }
    }

    func harness(
        stamps: [SourceStamp] = [], secrets: [String: String] = [:], in workdir: String? = nil
    ) throws -> StepHarness {
        try StepHarness(
            secrets: secrets, sourceStamps: stamps, worker: LocalWorker(root: folder.root),
            workdir: workdir ?? folder.workdir, masterFolder: folder.path)
    }

    /// Runs the step, in whose settings `FOLDER` is the path of the folder.
    func run(
        _ yaml: String, stamps: [SourceStamp] = [], secrets: [String: String] = [:],
        in workdir: String? = nil
    ) async throws -> Run {
        let step = try StandardPlugins.Git.configured(
            yaml: yaml.replacing("FOLDER", with: folder.path))
        let harness = try harness(stamps: stamps, secrets: secrets, in: workdir)
        return Run(results: try await harness.run(step), harness: harness)
    }

    /// Runs git with an identity of its own and without the user's configuration.
    @discardableResult func git(_ arguments: [String], in name: String = "") async throws -> String
    {
        let identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        var command = Command.Shell(
            .program(["git"] + identity + arguments), in: "\(folder.path)/\(name)")
        command.environment = ["GIT_CONFIG_GLOBAL": "/dev/null"]
        var output: [UInt8] = []
        let result = try await LocalWorker(root: folder.root).run(.shell(command)) { update in
            if case .output(_, let bytes) = update.content { output += bytes }
        }
        let text = String(decoding: output, as: UTF8.self)
        try #require(result.isSuccess, "git \(arguments): \(text)")
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func makeRepository(_ name: String) async throws {
        try await git(["init", "-q", "-b", "main", name])
    }

    @discardableResult func source(_ arguments: [String]) async throws -> String {
        try await git(arguments, in: "source")
    }

    @discardableResult func checkout(_ arguments: [String]) async throws -> String {
        try await git(arguments, in: "work/build")
    }

    /// Commits a file with all other changes; returns the hash.
    func commit(_ text: String, to name: String, in repository: String = "source") async throws
        -> String
    {
        try folder.write(text, to: "\(repository)/\(name)")
        try await git(["add", "--all"], in: repository)
        try await git(["commit", "-q", "-m", text], in: repository)
        return try await git(["rev-parse", "HEAD"], in: repository)
    }

    func read(_ name: String) throws -> String { try folder.read("work/build/\(name)") }

    func removeCheckout() throws {
        try FileManager.default.removeItem(atPath: folder.workdir)
    }

    /// Puts a script before git; returns the value for `PATH`.
    func fakeGit(_ script: String) throws -> String {
        try folder.write("#!/bin/sh\n\(script)\n", to: "bin/git")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: "\(folder.path)/bin/git")
        return "\(folder.path)/bin:/usr/bin:/bin"
    }

    /// All that is outside of the builds: paths, permissions and contents, of `.git`, too.
    func listing() throws -> [String: String] {
        var found: [String: String] = [:]
        let files = try #require(FileManager.default.enumerator(atPath: folder.path))
        for case let path as String in files where !path.hasPrefix("work/build") {
            let whole = "\(folder.path)/\(path)"
            let attributes = try FileManager.default.attributesOfItem(atPath: whole)
            let kind = attributes[.type] as? FileAttributeType
            var entry = "\(kind?.rawValue ?? "") \(attributes[.posixPermissions] ?? "")"
            if kind == .typeRegular {
                entry += try Data(contentsOf: URL(filePath: whole)).base64EncodedString()
            }
            found[path] = entry
        }
        return found
    }
}
