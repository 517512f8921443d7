public import MasterKit
import Synchronization

/// Sets a property of the build to any value.
public struct SetProperty: Step {
    /// What the step does.
    public static let summary = "Sets a property of the build."

    @Setting("The name of the property.")
    var property: Renderable<PropertyName>

    @Setting("The value: any JSON value.")
    var value: Renderable<JSONValue>

    /// Creates an unconfigured step.
    public init() {}

    /// Sets the property.
    public func run(in context: StepContext) async throws -> Results {
        let name = try context.render(property).text
        try await context.setProperty(name, to: try context.render(value))
        await context.setSummary("property '\(name)' set")
        return .success
    }
}

/// Sets a property of the build to the standard output of a command.
public struct SetPropertyFromCommand: Step, SettingHints {
    /// What the step does.
    public static let summary = "Sets a property to the output of a command."

    /// The maximum number of bytes from a command in a property.
    static let outputLimit = 1 << 20

    @SettingGroup var command: CommandSettings

    @Setting("The name of the property.")
    var property: Renderable<PropertyName>

    @Setting("Strip white space around the output.")
    var strip = Renderable(true)

    @Setting("Whether the output is a secret, which is masked from then on.")
    var secret = false

    /// Creates an unconfigured step.
    public init() {}

    /// Runs the command; the property is set only if the command succeeds.
    public func run(in context: StepContext) async throws -> Results {
        let name = try context.render(property).text
        let strips = try context.render(strip)
        let output = CollectedOutput(limit: Self.outputLimit)
        let errors = CollectedOutput(limit: Self.outputLimit)
        let log = try await context.openLog("stdio")
        let results = try await command.run(in: context, into: log) { stream, piece in
            switch stream {
            case .stdout: output.append(piece)
            case .stderr where secret: errors.append(piece)
            case .stderr: break
            }
            return !secret
        }
        let text = output.bytes.map { String(decoding: $0, as: UTF8.self) }
        let value = strips ? text?.trimmed : text
        if secret {
            let refusal = hide(value ?? "", as: name, in: context)
            try await tell(errors, in: log)
            if let refusal, results == .success || results == .warnings, value != nil {
                return try await refuse("\(refusal)", in: context)
            }
        }
        guard results == .success || results == .warnings else { return results }
        guard let value else {
            return try await refuse(
                "the command printed more than \(Self.outputLimit) bytes, which is too much for a "
                    + "property; print less, or write it to a file", in: context)
        }
        try await context.setProperty(name, to: .string(value))
        await context.setSummary("property '\(name)' set")
        return results
    }

    private func refuse(_ reason: String, in context: StepContext) async throws -> Results {
        try await context.openLog("property").line(reason, to: .stderr)
        return .failure
    }

    /// Hides the value, and returns the error if it cannot be hidden.
    private func hide(
        _ value: String, as name: String, in context: StepContext
    ) -> UnmaskableSecret? {
        do {
            try context.hide(value, as: name)
            return nil
        } catch {
            return error
        }
    }

    /// Logs the standard error of the command, now that the secret is known.
    private func tell(_ errors: CollectedOutput, in log: any StepLog) async throws {
        try await log.line("standard output is secret and not shown", to: .header)
        guard let bytes = errors.bytes else {
            return try await log.line(
                "standard error has more than \(Self.outputLimit) bytes and is not shown",
                to: .header)
        }
        if !bytes.isEmpty { try await log.line(bytes, to: .stderr) }
    }

    /// A hint for a setting that this step does not have.
    public static func hint(forUnknown name: String) -> String? {
        guard name == "extract_fn" else { return CommandSettings.hint(forUnknown: name) }
        return "it takes code, which master.yaml can't hold; let the command print only the value, "
            + "one step a property, or write a step plugin in Swift"
    }
}

/// Collects the output of a command, up to a limit.
private final class CollectedOutput: Sendable {
    private let limit: Int
    private let state = Mutex<[UInt8]?>([])

    init(limit: Int) {
        self.limit = limit
    }

    /// All bytes, or `nil` if the limit was exceeded.
    var bytes: [UInt8]? { state.withLock { $0 } }

    func append(_ piece: ArraySlice<UInt8>) {
        state.withLock { bytes in
            guard let count = bytes?.count, count + piece.count <= limit else {
                bytes = nil
                return
            }
            bytes?.append(contentsOf: piece)
        }
    }
}

extension String {
    /// The text without leading and trailing white space.
    fileprivate var trimmed: String {
        let start = drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}

/// The setting `property`: the name of a property to set.
struct PropertyName: SettingValue {
    let text: String

    static var shape: String { "the name of a property" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PropertyName? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        guard !text.isEmpty, text.count <= Properties.maximumNameLength else {
            return decoder.error(
                "\(decoder.subject) must have 1 to \(Properties.maximumNameLength) characters",
                at: node.range)
        }
        return PropertyName(text: text)
    }
}
