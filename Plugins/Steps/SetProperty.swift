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

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { property.products() }

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

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { property.products(of: command.process) }

    /// Runs the command; the property is set only if the command succeeds.
    public func run(in context: StepContext) async throws -> Results {
        let name = try context.render(property).text
        let strips = try context.render(strip)
        let log = try await context.openLog("stdio")
        let output = CollectedOutput(in: log, limit: Self.outputLimit, isShown: !secret)
        let results = try await command.run(
            in: context, into: output, streams: .separate)
        let text = output.stdout.map { String(decoding: $0, as: UTF8.self) }
        let value = strips ? text?.trimmed : text
        if secret {
            let refusal = hide(value ?? "", as: name, in: context)
            // Standard error may repeat a value that can't be hidden.
            let isHidden = value != nil && refusal == nil
            try await logErrors(isHidden ? output.stderr : nil, in: log)
            if let refusal, results == .success || results == .warnings, value != nil {
                return try await refuse("\(refusal)", in: context)
            }
        }
        guard results == .success || results == .warnings else { return results }
        guard let value else {
            return try await context.refuse(
                "the command printed more than \(Self.outputLimit) bytes, which is too much for a "
                    + "property", remedy: "print less, or write it to a file")
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
    private func logErrors(_ errors: [UInt8]?, in log: any StepLog) async throws {
        try await log.line("standard output is secret and not shown", to: .header)
        guard let bytes = errors else {
            return try await log.line(
                "standard error is not shown either: it is longer than \(Self.outputLimit) bytes, or "
                    + "the secret can't be hidden in it", to: .header)
        }
        if !bytes.isEmpty { try await log.line(bytes, to: .stderr) }
    }

    /// A hint for a setting that this step does not have.
    public static func hint(forUnknown name: String) -> String? {
        guard name == "extract_fn" else { return nil }
        return "it takes code, which master.yaml can't hold; let the command print only the value, "
            + "one step a property, or write a step plugin in Swift"
    }
}

/// Sets several properties of the build.
public struct SetProperties: Step {
    /// What the step does.
    public static let summary = "Sets several properties of the build."

    @Setting("A mapping of names to values.")
    var properties: Renderable<PropertyMapping>

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? {
        let names = properties.constant?.values.map(\.key) ?? properties.keysOfComputed
        return StepProducts(
            logs: ["property"], properties: names ?? [], mayHaveOthers: names == nil)
    }

    /// Sets the properties.
    public func run(in context: StepContext) async throws -> Results {
        try await context.setProperties(
            try context.render(properties).values, "'properties' has")
    }
}

/// Sets properties of the build to the values of a JSON object.
public struct SetPropertiesFromJSON: Step {
    /// What the step does.
    public static let summary =
        "Sets properties to the values of a JSON object, printed by a command or in a file."

    @Setting(
        "What prints the object: a program with its arguments, or a line for the shell.",
        .example("cat version.json"))
    var command: Renderable<CommandLineSetting>?

    @Setting("A file that holds the object, relative to the folder of the step.")
    var file: Renderable<WorkerPath>?

    @Setting("Which properties to set; by default all of the object.")
    var properties: Renderable<[PropertyName]>?

    @SettingGroup var process: ProcessSettings

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? {
        let names = properties?.constant?.map(\.text)
        var products = process.products(logs: ["property"], properties: names ?? [])
        if names == nil { products.mayHaveOthers = true }
        return products
    }

    /// Reports that both sources are given, or neither.
    public func check(_ settings: SettingsCheck) {
        if command != nil, file != nil {
            settings.error("'command' and 'file' both give the JSON object; keep one", at: "file")
        }
        if command == nil, file == nil {
            settings.error(
                "steps.SetPropertiesFromJSON needs 'command' or 'file', which gives the JSON object",
                at: "command")
        }
    }

    /// Reads the object and sets the properties.
    public func run(in context: StepContext) async throws -> Results {
        let limit = SetPropertyFromCommand.outputLimit
        if let path = try context.render(file)?.text {
            var bytes: [UInt8] = []
            let results = try await context.withFiles("reading \(path)") {
                let upload = Command.UploadFile(path, maxByteCount: limit)
                _ = try await context.run(.uploadFile(upload)) { update in
                    if case .content(let piece) = update.content { bytes += piece }
                }
                return "read \(path)"
            }
            guard results == .success else { return results }
            return try await set(bytes, of: path, in: context)
        }
        guard let line = try context.render(command) else { return .failure }
        let output = CollectedOutput(in: try await context.openLog("stdio"), limit: limit)
        let results = try await process.run(
            line, in: context, into: output, streams: .separate)
        guard results == .success || results == .warnings else { return results }
        guard let bytes = output.stdout else {
            return try await context.refuse(
                "the command printed more than \(limit) bytes", remedy: "print less")
        }
        return try await set(bytes, of: "the output", in: context)
    }

    private func set(
        _ bytes: [UInt8], of source: String, in context: StepContext
    ) async throws -> Results {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            return try await context.refuse(
                "\(source) is not JSON", remedy: "\(error)")
        }
        guard var object = value.objectValue else {
            return try await context.refuse(
                "\(source) is not a JSON object", remedy: "it must be {\"name\": value, …}")
        }
        if let wanted = try context.render(properties) {
            let missing = wanted.map(\.text).filter { object[$0] == nil }
            guard missing.isEmpty else {
                return try await context.refuse(
                    "\(source) has no \(missing.map { "'\($0)'" }.joined(separator: ", "))",
                    remedy: "check the names in 'properties'")
            }
            var chosen = JSONObject()
            for name in wanted { chosen[name.text] = object[name.text] }
            object = chosen
        }
        return try await context.setProperties(object, "\(source) has")
    }
}

extension StepContext {
    /// Sets properties; if a name is not a valid property name, the step fails and no property is
    /// set.
    fileprivate func setProperties(_ object: JSONObject, _ subject: String) async throws -> Results
    {
        for (name, _) in object where name.isEmpty || name.count > Properties.maximumNameLength {
            return try await refuse(
                "\(subject) a name that no property can have",
                remedy: "names have 1 to \(Properties.maximumNameLength) characters")
        }
        for (name, value) in object { try await setProperty(name, to: value) }
        let names = object.map { "'\($0.key)'" }
        let words = names.count == 1 ? "property \(names[0]) set" : "\(names.count) properties set"
        await setSummary(words)
        return .success
    }

    /// Fails the step, with the reason in its state text and log.
    func refuse(_ reason: String, remedy: String) async throws -> Results {
        await setSummary(reason)
        try await openLog("property").line("\(reason); \(remedy)", to: .stderr)
        return .failure
    }
}

/// A log that collects a command's output up to a limit, optionally without writing it.
final class CollectedOutput: StepLog {
    private struct State {
        var stdout: [UInt8]? = []
        var stderr: [UInt8]? = []
    }

    private let log: any StepLog
    private let limit: Int
    private let isShown: Bool
    private let state = Mutex(State())

    init(in log: any StepLog, limit: Int, isShown: Bool = true) {
        self.log = log
        self.limit = limit
        self.isShown = isShown
    }

    /// The standard output, or `nil` if it exceeds the limit.
    var stdout: [UInt8]? { state.withLock { $0.stdout } }

    /// The standard error, or `nil` if it exceeds the limit.
    var stderr: [UInt8]? { state.withLock { $0.stderr } }

    func write(_ bytes: ArraySlice<UInt8>, to channel: LogChannel) async throws {
        state.withLock { state in
            switch channel {
            case .stdout: append(bytes, to: &state.stdout)
            case .stderr: append(bytes, to: &state.stderr)
            case .header: break
            }
        }
        if isShown || channel == .header { try await log.write(bytes, to: channel) }
    }

    func flush(_ channel: LogChannel) async throws {
        try await log.flush(channel)
    }

    private func append(_ piece: ArraySlice<UInt8>, to bytes: inout [UInt8]?) {
        guard let count = bytes?.count, count + piece.count <= limit else {
            bytes = nil
            return
        }
        bytes?.append(contentsOf: piece)
    }
}

extension String {
    /// The string without leading and trailing white space.
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

    static var form: ValueForm { .text }

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

extension Renderable where Value == PropertyName {
    /// What a step leaves behind that sets the property, by a command if there is one.
    fileprivate func products(of process: ProcessSettings? = nil) -> StepProducts {
        var products = process?.products() ?? StepProducts()
        products.logs.append("property")
        products.properties = constant.map { [$0.text] } ?? []
        if constant == nil { products.mayHaveOthers = true }
        return products
    }
}

/// The values of several properties by name.
struct PropertyMapping: SettingValue {
    let values: JSONObject

    static var shape: String { JSONObject.shape }
    static var form: ValueForm { JSONObject.form }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PropertyMapping? {
        var isValid = true
        if case .mapping(let mapping) = node.kind {
            for entry in mapping.entries {
                guard let name = entry.key.scalarText,
                    name.isEmpty || name.count > Properties.maximumNameLength
                else { continue }
                isValid = false
                decoder.error(
                    "a name in \(decoder.subject) must have 1 to \(Properties.maximumNameLength) "
                        + "characters", at: entry.key.range)
            }
        }
        let values = decoder.decode(JSONObject.self, from: node)
        return isValid ? values.map(PropertyMapping.init) : nil
    }
}
