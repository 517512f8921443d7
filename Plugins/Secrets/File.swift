public import MasterKit

/// Reads secrets from the files in a folder, one secret per file.
public struct FileSecrets: SecretProvider {
    /// The name in master.yaml.
    public static let pluginName = "File"

    /// What the provider does.
    public static let summary = "Reads secrets from a folder, one file per secret."

    @Setting(
        "The folder; a relative path starts from the folder of master.yaml.", .primary, .notEmpty)
    var directory: String

    @Setting("Suffixes of the file names, tried in order.")
    var suffixes = [""]

    @Setting("Strip newlines from the end of each file.")
    var strip = true

    /// Creates an unconfigured provider.
    public init() {}

    /// The content of the file, or `nil` if the folder has no such file.
    ///
    /// The folder is listed first, so a name such as `../token` does not match anything.
    public func value(of name: String, in context: SecretContext) async throws -> String? {
        let folder = SecretFolder(path: directory, context: context)
        let names = try await folder.names()
        guard let suffix = suffixes.first(where: { names.contains(name + $0) }) else { return nil }
        return try await folder.text(of: name + suffix, strippingNewlines: strip)
    }

    /// The file, with the first suffix.
    public func place(ofSecret name: String) -> String? {
        "file \(directory)/\(name)\(suffixes.first ?? "")"
    }

    /// All files in the folder that can be secrets.
    ///
    /// Anything that would be rejected as a secret, such as a folder or a world-readable file, is
    /// omitted.
    public func inventory(
        of used: Set<String>, in context: SecretContext
    ) async throws -> SecretInventory {
        let folder = SecretFolder(path: directory, context: context)
        var inventory = SecretInventory()
        for file in try await folder.names().sorted().prefix(Self.inventoryLimit) {
            guard let suffix = suffixes.first(where: { file.hasSuffix($0) }) else { continue }
            do {
                let text = try await folder.text(of: file, strippingNewlines: strip)
                inventory.values[String(file.dropLast(suffix.count))] = text
            } catch is SecretFault {
                continue
            } catch is CommandError {
                continue  // too large, or unreadable to this user, and to its commands with it
            }
        }
        return inventory
    }

    /// The maximum number of files to read in order to hide their content.
    private static let inventoryLimit = 1_000

    /// Requires at least one suffix.
    public func check(_ settings: SettingsCheck) {
        guard suffixes.isEmpty else { return }
        settings.error(
            "'suffixes' is empty, so that no file matches; omit it, or name one",
            at: "suffixes")
    }
}

/// A folder of secret files, which only its owner may read or change.
struct SecretFolder {
    private static let groupAndOthers: UInt32 = 0o077
    private static let writeOfGroupAndOthers: UInt32 = 0o022

    /// The path as written in master.yaml.
    let path: String
    let context: SecretContext

    /// The names of all entries in the folder.
    ///
    /// - Throws: An error if it is not a folder, cannot be read, or is writable by others.
    func names() async throws -> Set<String> {
        guard let status = try await status(of: path), status.kind == .directory else {
            throw SecretFault(
                "\(place(of: path)) is not a folder; check 'directory' of secrets.File")
        }
        try refuse(Self.writeOfGroupAndOthers, of: status, at: path, "write to", remedy: "go-w")
        let result = try await context.run(.listdir(.init(path)))
        guard case .names(let names) = result.value else { return [] }
        return Set(names)
    }

    /// The text of a file.
    ///
    /// - Throws: An error if it is not a file in this folder, is readable by others, or is not a
    ///   short text.
    func text(of name: String, strippingNewlines strips: Bool) async throws -> String {
        let file = "\(path)/\(name)"
        guard let status = try await status(of: file) else {
            throw SecretFault("\(place(of: file)) is a broken link; fix or remove it")
        }
        guard status.kind == .file else {
            let kind = status.kind == .directory ? "a folder" : "a device, pipe or socket"
            throw SecretFault("\(place(of: file)) is \(kind); a secret is a file")
        }
        try refuse(Self.groupAndOthers, of: status, at: file, "read", remedy: "600")
        var text = SecretText()
        _ = try await context.run(.uploadFile(.init(file, maxByteCount: SecretText.limit))) {
            guard case .content(let bytes) = $0.content else { return }
            try text.append(bytes, from: place(of: file))
        }
        return try text.text(from: place(of: file), strippingNewlines: strips)
    }

    private func status(of path: String) async throws -> CommandResult.FileStatus? {
        guard case .status(let status) = try await context.run(.stat(.init(path))).value else {
            return nil
        }
        return status
    }

    private func refuse(
        _ permissions: UInt32, of status: CommandResult.FileStatus, at path: String,
        _ verb: String, remedy: String
    ) throws(SecretFault) {
        guard status.permissions & permissions != 0 else { return }
        let mode = String(status.permissions, radix: 8)
        let place = place(of: path)
        throw SecretFault(
            "others can \(verb) \(place), whose mode is \(mode); "
                + "run chmod \(remedy) \(Command.Invocation.program([place]))")
    }

    private func place(of path: String) -> String {
        path.hasPrefix("/") ? path : "\(context.folder)/\(path)"
    }
}

/// The bytes of a secret, collected up to a limit, and their text.
struct SecretText {
    /// The maximum size of a secret, in bytes.
    static let limit = 64 << 10

    private(set) var bytes: [UInt8] = []

    /// Appends bytes.
    ///
    /// - Throws: `SecretFault` if the limit is exceeded.
    mutating func append(_ more: [UInt8], from source: String) throws(SecretFault) {
        bytes += more
        guard bytes.count <= Self.limit else {
            throw SecretFault(
                "\(source) gives more than \(Self.limit >> 10) KiB, which is too large for a "
                    + "secret")
        }
    }

    /// The text, with or without trailing newlines.
    ///
    /// - Throws: `SecretFault` if the bytes are not text.
    func text(from source: String, strippingNewlines strips: Bool) throws(SecretFault) -> String {
        let newlines: [UInt8] = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        let end = strips ? bytes.lastIndex { !newlines.contains($0) }.map { $0 + 1 } ?? 0 : nil
        guard let text = String(validating: bytes[..<(end ?? bytes.count)], as: UTF8.self),
            !text.utf8.contains(0)
        else {
            throw SecretFault(
                "\(source) does not give valid UTF-8; encode the secret, for example in base64")
        }
        return text
    }
}

/// The error if a provider cannot return a secret, described in a sentence without the value.
struct SecretFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension FileSecrets: SettingHints {
    /// A hint for a setting of Buildbot's `SecretInAFile`.
    public static func hint(forUnknown name: String) -> String? {
        name == "dirname" ? "write 'directory'" : nil
    }
}
