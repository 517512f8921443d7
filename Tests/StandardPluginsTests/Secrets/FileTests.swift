import MasterKit
import StandardPlugins
import Testing

struct FileTests {
    /// Gets a secret from the folder `vault`, which is next to a master.yaml.
    private func value(
        of name: String, in files: SecretFiles, _ settings: SettingLiteral = "vault"
    ) async throws -> String? {
        let provider = try FileSecrets.configured(settings, scope: .service)
        return try await provider.value(of: name, in: .of(folder: files.path))
    }

    /// The error for a secret that cannot be read, without the path of the test's folder.
    private func fault(of name: String, in files: SecretFiles) async throws -> String? {
        let error = await #expect(throws: (any Error).self) {
            try await value(of: name, in: files)
        }
        return error.map { "\($0)".replacing(files.path, with: "HERE") }
    }

    private func withVault<Value>(
        _ body: (SecretFiles) async throws -> Value
    ) async throws -> Value {
        try await SecretFiles.with { files in
            try files.makeFolder("vault")
            return try await body(files)
        }
    }

    @Test func `where it looks is told`() throws {
        let provider = try FileSecrets.configured(
            ["directory": "vault", "suffixes": [".txt", ""]], scope: .service)
        #expect(provider.place(ofSecret: "token") == "file vault/token.txt")
    }

    @Test(arguments: [
        ("hunter2!", "hunter2!"), ("hunter2!\n", "hunter2!"), ("hunter2!\r\n\n", "hunter2!"),
        (" two\nlines \n", " two\nlines "), ("größe 😀\n", "größe 😀"), ("\n", ""), ("", ""),
    ])
    func `a secret is the text of its file without newlines at its end`(
        text: String, value: String
    ) async throws {
        try await withVault { files in
            try files.write(text, to: "vault/token")
            #expect(try await self.value(of: "token", in: files) == value)
            let whole: SettingLiteral = ["directory": "vault", "strip": false]
            #expect(try await self.value(of: "token", in: files, whole) == text)
        }
    }

    @Test(arguments: [
        "../outside", "../vault/token", "./token", "vault/token", "/etc/passwd", "..", ".", "",
        "tok", "token ", "token\0", "sub/token", "*",
    ])
    func `a name that is no file of the folder is not known`(name: String) async throws {
        try await withVault { files in
            try files.write("hunter2!", to: "outside")
            try files.write("hunter2!", to: "vault/token")
            try files.makeFolder("vault/sub")
            try files.write("hunter2!", to: "vault/sub/token")
            #expect(try await value(of: name, in: files) == nil)
        }
    }

    @Test func `suffixes are tried in order and are no part of the name`() async throws {
        try await withVault { files in
            try files.write("from txt", to: "vault/one.txt")
            try files.write("from key", to: "vault/one.key")
            try files.write("bare", to: "vault/two")
            let settings: SettingLiteral = ["directory": "vault", "suffixes": [".key", ".txt"]]
            #expect(try await value(of: "one", in: files, settings) == "from key")
            #expect(try await value(of: "two", in: files, settings) == nil)
            #expect(try await value(of: "one", in: files) == nil)
            #expect(try await value(of: "one.txt", in: files) == "from txt")
        }
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o777, 0o620])
    func `a file that others may touch is refused with its remedy`(mode: Int) async throws {
        try await withVault { files in
            try files.write("hunter2!", to: "vault/token", mode: mode)
            let octal = String(mode, radix: 8)
            #expect(
                try await fault(of: "token", in: files)
                    == "others can read HERE/vault/token, whose mode is \(octal); "
                    + "run chmod 600 HERE/vault/token")
        }
    }

    @Test func `a folder that others may write to is refused with its remedy`() async throws {
        try await withVault { files in
            try files.write("hunter2!", to: "vault/token")
            try files.setMode(0o770, of: "vault")
            #expect(
                try await fault(of: "token", in: files)
                    == "others can write to HERE/vault, whose mode is 770; run chmod "
                    + "go-w HERE/vault")
            try files.setMode(0o755, of: "vault")
            #expect(try await value(of: "token", in: files) == "hunter2!")
        }
    }

    @Test func `a link is followed; what counts is where it leads`() async throws {
        try await withVault { files in
            try files.makeFolder("vault/..data")
            try files.write("hunter2!", to: "vault/..data/token")
            try files.link("vault/token", to: "..data/token")
            #expect(try await value(of: "token", in: files) == "hunter2!")
            try files.setMode(0o644, of: "vault/..data/token")
            #expect(try await fault(of: "token", in: files)?.contains("mode is 644") == true)
            try files.link("vault/nowhere", to: "gone")
            #expect(
                try await fault(of: "nowhere", in: files)
                    == "HERE/vault/nowhere is a broken link; fix or remove it")
            try files.link("vault/circle", to: "circle")
            #expect(try await fault(of: "circle", in: files)?.contains("circle") == true)
            try files.link("vault/device", to: "/dev/zero")
            #expect(
                try await fault(of: "device", in: files)
                    == "HERE/vault/device is a device, pipe or socket; a secret is a file")
        }
    }

    @Test func `what holds no short text is refused without a word of it`() async throws {
        try await withVault { files in
            try files.makeFolder("vault/folder")
            #expect(
                try await fault(of: "folder", in: files)
                    == "HERE/vault/folder is a folder; a secret is a file")
            try files.write([0x68, 0xFF, 0x69], to: "vault/bytes")
            try files.write("a\0b", to: "vault/null")
            for name in ["bytes", "null"] {
                #expect(
                    try await fault(of: name, in: files)
                        == "HERE/vault/\(name) does not give valid UTF-8; encode the secret, for "
                        + "example in base64")
            }
            let most = 64 << 10
            try files.write([UInt8](repeating: 0x61, count: most), to: "vault/large")
            #expect(try await value(of: "large", in: files)?.utf8.count == most)
            try files.write([UInt8](repeating: 0x61, count: most + 1), to: "vault/large")
            let tooLarge = try await fault(of: "large", in: files)
            #expect(tooLarge?.contains("has more than the 65536 bytes") == true)
        }
    }

    @Test func `a file that is too large does not keep others from being hidden`() async throws {
        try await withVault { files in
            try files.write([UInt8](repeating: 0x61, count: 65 << 10), to: "vault/large")
            try files.write("hunter2!", to: "vault/password")
            let provider = try FileSecrets.configured("vault", scope: .service)
            let inventory = try await provider.inventory(of: [], in: .of(folder: files.path))
            #expect(inventory.values == ["password": "hunter2!"])
        }
    }

    @Test func `a folder that is none is a fault, not an unknown name`() async throws {
        try await SecretFiles.with { files in
            #expect(
                try await fault(of: "token", in: files)
                    == "HERE/vault is not a folder; check 'directory' of secrets.File")
            try files.write("", to: "vault")
            #expect(try await fault(of: "token", in: files)?.contains("is not a folder") == true)
        }
    }

    @Test func `an absolute folder is taken as it is`() async throws {
        try await withVault { files in
            try files.write("hunter2!", to: "vault/token")
            let provider = try FileSecrets.configured(.string(files.path + "/vault"))
            #expect(try await provider.value(of: "token", in: .here) == "hunter2!")
        }
    }
}
