import FoundationEssentials
import MasterTesting
import Testing

/// A secret that is used everywhere does not show up anywhere.
@Suite(.timeLimit(.minutes(3)))
struct SecretLeakTests {
    @Test(arguments: PlantedSecret.all)
    func `no byte of a secret is in any output`(secret: PlantedSecret) async throws {
        let server = try LoopbackServer { EchoingServer.answer($0) }
        let search = LeakSearch(for: secret)
        let file = PlantedConfiguration(server: server.url, secret: secret).text
        try await Program.inFolder(["master.yaml": file]) { program in
            try plant(secret, in: program.folder)
            let given = "given \(secret.value)"
            let ended = try await program.run(
                "run", "--verbose", "--drain", "2", "--reason", given, "--owner", given,
                "--branch", given, "--repository", given, "-p", "given=\(given)")
            #expect(search.leak(in: Array(ended.output.utf8)) == nil)
            #expect(search.leak(in: Array(ended.error.utf8)) == nil)
            #expect(try search.leaks(below: program.folder + "/.buildmaster") == [])
            #expect(ended.output.components(separatedBy: "<key>").count > 40)
        }
        let reports = server.requests.filter { $0.path.contains("/hook") }
        #expect(reports.count > 20)
        for report in reports { #expect(search.leak(in: report.body) == nil) }
        let paths = Set(server.requests.filter { search.leak(in: $0.body) != nil }.map(\.path))
        #expect(paths.isSuperset(of: ["/refuse", "/stream"]))
        #expect(paths.contains { $0.hasPrefix("/echo") })
    }

    @Test(arguments: PlantedSecret.all)
    func `the search finds each form of a secret`(secret: PlantedSecret) {
        let search = LeakSearch(for: secret)
        #expect(search.leak(in: Array("before \(secret.value) after".utf8)) != nil)
        for needle in secret.needles {
            #expect(search.leak(in: [0x20] + needle + [0x20]) != nil)
        }
        #expect(search.leak(in: Array("a build of nothing but <key>".utf8)) == nil)
    }

    private func plant(_ secret: PlantedSecret, in folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder + "/vault", withIntermediateDirectories: false)
        let path = folder + "/vault/key"
        try Data(secret.value.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}
