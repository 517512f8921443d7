import Foundation
import MasterTesting
import Testing

@testable import MasterHTTP

struct NetrcTests {
    private static let file = """
        # machine commented login x password y
        machine one.example login anna password secret1
        machine TWO.example
            login "with space"   # comment
            account ignored
            password "quo\\"ted # \\\\"
        macdef init
            machine three.example login macro password macro

        machine hash.example login bob password #notacomment
        machine one.example login second password second
        default login guest password guest@
        machine late.example login late password late
        """

    @Test(arguments: [
        ("one.example", "anna", "secret1"), ("ONE.example", "anna", "secret1"),
        ("two.example", "with space", "quo\"ted # \\"), ("hash.example", "bob", "#notacomment"),
        ("three.example", "guest", "guest@"), ("commented", "guest", "guest@"),
        ("late.example", "late", "late"),
    ])
    func `the entry of a host is found, or the one for all others`(
        host: String, login: String, password: String
    ) throws {
        let entry = try Netrc(parsing: Self.file).entry(for: host)
        #expect(entry?.login == login)
        #expect(entry?.password == password)
    }

    @Test(arguments: [
        ("machine", 1, "ends after 'machine'"), ("machine h\npassword", 2, "ends after 'password'"),
        ("login anna", 1, "before any 'machine'"),
        ("machine h login a b", 1, "unknown word; expected machine"),
        ("\nmachine h\nlogin \"a", 3, "unterminated quote"),
    ])
    func `what is wrong with a file is told without showing it`(
        text: String, line: Int, words: String
    ) {
        let fault = #expect(throws: Netrc.Fault.self) { try Netrc(parsing: text) }
        #expect(fault?.line == line)
        #expect(fault?.message.contains(words) == true)
    }

    @Test func `an empty file, or one of comments and a macro, has no entry`() throws {
        for text in ["", "\n\n", "# a", "macdef x\ny", "machine other login a password b"] {
            #expect(try Netrc(parsing: text).entry(for: "h") == nil)
        }
    }

    private static func credentials(_ environment: [String: String]) async throws -> String {
        try await withHTTPClient(HTTPClientConfiguration(environment: environment)) { client in
            let address = try HTTPAddress("http://H.example:80/x")
            let found = try await client.netrcCredentials(for: address)
            return "\(found.user):\(found.password)"
        }
    }

    @Test func `NETRC names the file, or else it is in the home folder`() async throws {
        try await withTemporaryFolder { folder in
            let one = "machine h.example login one password word"
            let two = "machine h.example login two password word"
            try Data(one.utf8).write(to: URL(filePath: "\(folder)/.netrc"))
            try Data(two.utf8).write(to: URL(filePath: "\(folder)/other"))
            #expect(try await Self.credentials(["HOME": folder]) == "one:word")
            #expect(
                try await Self.credentials(["HOME": folder, "NETRC": "\(folder)/other"])
                    == "two:word")
        }
    }

    @Test func `without a file or an entry there are no credentials`() async throws {
        try await withTemporaryFolder { folder in
            try Data("machine other login a password b".utf8).write(
                to: URL(filePath: "\(folder)/other"))
            try Data([0xFF, 0xFE]).write(to: URL(filePath: "\(folder)/binary"))
            let cases = [
                (["HOME": folder], "\(folder)/.netrc cannot be read: No such file"),
                (["NETRC": folder], "it is not a regular file"),
                (
                    ["NETRC": "\(folder)/other"],
                    "has no entry for h.example; add 'machine h.example"
                ),
                (["NETRC": "\(folder)/binary"], "is not UTF-8 text"),
                ([:], "neither NETRC nor HOME"),
            ]
            for (environment, words) in cases {
                let error = await #expect(throws: HTTPError.self) {
                    try await Self.credentials(environment)
                }
                #expect(error?.code == .noCredentials)
                #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            }
        }
    }
}
