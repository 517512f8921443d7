import MasterKit

/// A folder whose files are secrets, which nobody but its owner may read or change.
struct SecretFolder {
    private static let groupAndOthers: UInt32 = 0o077
    private static let writeOfGroupAndOthers: UInt32 = 0o022

    /// The path as the file has it.
    let path: String
    let context: SecretContext

    /// The names of all that is in the folder.
    ///
    /// - Throws: When it is no folder, cannot be read, or others may write to it.
    func names() async throws -> Set<String> {
        guard let status = try await status(of: path), status.kind == .directory else {
            throw SecretFault("\(place(of: path)) is no folder; check 'directory' of secrets.File")
        }
        try refuse(Self.writeOfGroupAndOthers, of: status, at: path, "write to", remedy: "go-w")
        let result = try await context.run(.listdir(.init(path)))
        guard case .names(let names) = result.value else { return [] }
        return Set(names)
    }

    /// The text of a file.
    ///
    /// - Throws: When it is no file of this folder, others may read it, or it is no short text.
    func text(of name: String, strippingNewlines strips: Bool) async throws -> String {
        let file = "\(path)/\(name)"
        guard let status = try await status(of: file) else {
            throw SecretFault("\(place(of: file)) is a link that leads nowhere; mend or remove it")
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
            "others than its owner may \(verb) \(place), its mode is \(mode); "
                + "run chmod \(remedy) \(Command.Invocation.program([place]))")
    }

    private func place(of path: String) -> String {
        path.hasPrefix("/") ? path : "\(context.folder)/\(path)"
    }
}
