public import MasterKit

/// Creates a folder and its parents on the worker.
public struct MakeDirectory: Step {
    /// What the step does.
    public static let summary = "Makes a folder on the worker, with those above it."

    /// A failure ends the build.
    public static var options: StepOptions { .halting }

    @Setting("The folder, relative to the folder of the step.", .primary)
    var dir: Renderable<FolderPath>

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["stdio"]) }

    /// Creates the folder; it may already exist.
    public func run(in context: StepContext) async throws -> Results {
        let dir = try context.render(dir).text
        return try await context.withFiles("making \(dir)") {
            _ = try await context.run(.mkdir(.init(dir)))
            return "made \(dir)"
        }
    }
}

/// Removes a folder and its contents from the worker.
public struct RemoveDirectory: Step {
    /// What the step does.
    public static let summary = "Removes a folder of the worker with all that is in it."

    /// A failure ends the build.
    public static var options: StepOptions { .halting }

    @Setting("The folder, relative to the folder of the step.", .primary)
    var dir: Renderable<FolderPath>

    @Setting("Whether it may be outside the folder of builds.")
    var outside = Renderable(false)

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["stdio"]) }

    /// Reports the folder that is never removed.
    public func check(_ settings: SettingsCheck) {
        guard let path = dir.constant?.text, path.allSatisfy({ $0 == "/" }) else { return }
        settings.error("'/' is never removed; correct the path", at: "dir")
    }

    /// Removes the folder; a missing folder is not an error.
    public func run(in context: StepContext) async throws -> Results {
        let dir = try context.render(dir).text
        let command = Command.RemoveDirectory(dir, outside: try context.render(outside))
        return try await context.withFiles("removing \(dir)") {
            let status = try await context.run(.stat(.init(dir, followsLinks: false))).value
            _ = try await context.run(.rmdir(command))
            return status == .status(nil) ? "nothing to remove: no \(dir)" : "removed \(dir)"
        }
    }
}

/// Copies a folder and its contents on the worker.
public struct CopyDirectory: Step {
    /// What the step does.
    public static let summary =
        "Copies a folder of the worker, in place of what is at the destination."

    /// A failure ends the build.
    public static var options: StepOptions { .halting }

    @Setting("The folder to copy, relative to the folder of the step.")
    var src: Renderable<FolderPath>

    @Setting("What the copy shall be, relative to the folder of the step.")
    var dest: Renderable<FolderPath>

    @Setting("Whether the copy may be outside the folder of builds.")
    var outside = Renderable(false)

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["stdio"]) }

    /// Copies the folder.
    public func run(in context: StepContext) async throws -> Results {
        let (source, destination) = (try context.render(src).text, try context.render(dest).text)
        let command = Command.CopyDirectory(
            from: source, to: destination, outside: try context.render(outside))
        return try await context.withFiles("copying \(source)") {
            _ = try await context.run(.cpdir(command))
            return "copied \(source) to \(destination)"
        }
    }
}

/// The path of a folder.
struct FolderPath: PathSetting {
    let text: String

    static var shape: String { "the path of a folder" }
}

/// The path of a file or a folder on the worker or the master.
protocol PathSetting: SettingValue {
    var text: String { get }

    init(text: String)
}

extension PathSetting {
    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        guard !text.isEmpty, !text.utf8.contains(0) else {
            return decoder.error(
                "\(decoder.subject) must be \(shape), which is not empty and has no NUL byte",
                at: node.range)
        }
        return Self(text: text)
    }
}

extension StepContext {
    /// Performs a file operation and sets the state text; if it fails, the step fails with the
    /// reason as its state text.
    func withFiles(
        _ words: String, _ work: () async throws -> String
    ) async throws -> Results {
        await setSummary(words)
        do {
            await setSummary(try await work())
            return .success
        } catch let error as CommandError {
            await setSummary(error.reason)
            try await openLog("stdio").line(error.message, to: .stderr)
            return .failure
        }
    }
}
