public import MasterKit
import Synchronization

/// Reads secrets from the output of a program.
public struct CommandSecrets: SecretProvider {
    /// The name in master.yaml.
    public static let pluginName = "Command"

    /// What the provider does.
    public static let summary = "Reads secrets from the output of a program."

    @Setting(
        "The program and its arguments; the name of the secret is appended as the last argument.",
        .primary, .notEmpty)
    var command: [String]

    @Setting("How long the program may run.")
    var timeout = Duration.seconds(30)

    @Setting("Exit codes that mean the secret does not exist.")
    var notFound: [Int] = []

    /// Creates an unconfigured provider.
    public init() {}

    /// The standard output of the program, without trailing newlines.
    ///
    /// Every exit code except 0 and those in `notFound` is a failure.
    public func value(of name: String, in context: SecretContext) async throws -> String? {
        guard !name.hasPrefix("-") else {
            throw SecretFault(
                "\(program) would read '\(name)' as an option; rename the secret")
        }
        var shell = Command.Shell(.program(command + [name]), in: context.folder)
        shell.timeout = nil
        shell.maxTime = timeout
        var (value, complaint) = (SecretText(), ProgramComplaint())
        let result = try await context.run(.shell(shell)) { update in
            switch update.content {
            case .output(.stdout, let bytes): try value.append(bytes, from: program)
            case .output(.stderr, let bytes): complaint.append(bytes)
            case .header, .started, .ended, .content, .logFile: break
            }
        }
        if result.isSuccess { return try value.text(from: program, strippingNewlines: true) }
        if result.timedOut == nil, let code = result.exitCode, notFound.contains(Int(code)) {
            return nil
        }
        throw SecretFault("\(program) failed: \(result)\(complaint.words(hiding: value))")
    }

    /// Reports a missing program and an invalid timeout.
    public func check(_ settings: SettingsCheck) {
        if command.first?.isEmpty ?? true {
            settings.error("'command' of secrets.Command names no program", at: "command")
        }
        if timeout <= .zero {
            settings.error("'timeout' of secrets.Command must be more than 0", at: "timeout")
        }
        for code in notFound where !(1...255).contains(code) {
            settings.error(
                "'notFound' of secrets.Command has \(code); use exit codes from 1 "
                    + "to 255", at: "notFound")
        }
    }

    private var program: String { "'\(command.joined(separator: " "))'" }
}

/// The error message of a failed program, from its standard error.
struct ProgramComplaint {
    /// The maximum number of bytes to read.
    private static let limit = 64 << 10
    /// The maximum number of characters to show.
    private static let shownCount = 1_000

    private var bytes: [UInt8] = []

    /// Appends output of the program.
    mutating func append(_ more: [UInt8]) {
        bytes += more.prefix(Self.limit - bytes.count)
    }

    /// The message as the end of a sentence, without the secret that the program printed.
    ///
    /// Only whole lines are shown, since a mask would not recognize part of a secret.
    func words(hiding printed: SecretText) -> String {
        let mask = SecretMask([("output", String(decoding: printed.bytes, as: UTF8.self))])
        var words = ""
        for line in mask.apply(to: String(decoding: bytes, as: UTF8.self))
            .split(whereSeparator: \.isNewline)
        {
            guard words.count + line.count < Self.shownCount else { break }
            words += " " + line
        }
        return words.isEmpty ? "" : "; it says:" + words
    }
}
