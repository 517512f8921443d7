/// What values that are computed at run time are computed from: one moment of a build.
public struct RenderContext: Sendable {
    /// The build's properties.
    public var properties: Properties
    /// The sources of the build.
    public var sourceStamps: [SourceStamp]
    /// What is known of the worker.
    public var worker: JSONObject
    /// The values of the secrets that the configuration asks for.
    public var secrets: SecretValues
    /// The result so far, for the conditions `!Results`.
    public var results: Results
    /// The context of templates: build, builder, buildset and what stands beside them.
    public var template: JSONObject
    /// Whether the values are URLs, in which what is inserted is encoded.
    var insertsIntoAddress = false

    /// Makes a context.
    public init(
        properties: Properties = Properties(), sourceStamps: [SourceStamp] = [],
        worker: JSONObject = JSONObject(), secrets: SecretValues = SecretValues(),
        results: Results = .success, template: JSONObject = JSONObject()
    ) {
        self.properties = properties
        self.sourceStamps = sourceStamps
        self.worker = worker
        self.secrets = secrets
        self.results = results
        self.template = template
    }
}

/// Where a value is rendered, which decides what it may refer to.
public enum RenderScope: Sendable, Hashable {
    /// In a build: properties, sources, worker and secrets.
    case build
    /// In a service, which belongs to no build: secrets alone.
    case service
    /// In the body of a report: the template context and properties.
    case report
    /// In a setting of a reporter that is computed for each report: the same, and secrets.
    case reporter
}

/// The values of secrets by name, fetched before the first build.
public struct SecretValues: Sendable {
    /// The values by name.
    package let byName: [String: String]
    /// What replaces these values, and others that are hidden, in everything that is shown or
    /// stored.
    public let mask: SecretMask
    /// Variables of the master's environment that hold secrets; commands do not get them.
    public let withheldVariables: Set<String>

    /// Makes a set of secret values.
    ///
    /// - Parameters:
    ///   - values: The values by name.
    ///   - others: Values that are hidden, too, but cannot be used.
    ///   - variables: Variables that commands do not get.
    public init(
        _ values: [String: String] = [:], hiding others: [(name: String, value: String)] = [],
        withholding variables: Set<String> = []
    ) {
        byName = values
        withheldVariables = variables
        let own = values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        mask = SecretMask(own + others)
    }

    /// The value of a secret.
    public subscript(name: String) -> String? { byName[name] }

    private init(
        _ values: [String: String], mask: SecretMask, withholding variables: Set<String>
    ) {
        byName = values
        self.mask = mask
        withheldVariables = variables
    }

    /// These values with the mask of earlier ones, which hides these, too, from now on.
    ///
    /// What was a secret remains one.
    package func following(_ earlier: SecretValues) -> SecretValues {
        earlier.mask.hide(all: mask)
        return SecretValues(
            byName, mask: earlier.mask,
            withholding: withheldVariables.union(earlier.withheldVariables))
    }
}

/// A value that can't be computed at run time, with its place in the file.
public struct RenderError: Error, CustomStringConvertible {
    /// What is wrong and how to remedy it; holds no secret.
    public let message: String
    /// Where the value stands.
    public let range: SourceRange?

    /// Creates an error.
    public init(_ message: String, at range: SourceRange? = nil) {
        self.message = message
        self.range = range
    }

    /// The message, with the line it is about.
    public var description: String {
        guard let range else { return message }
        return "line \(range.start.line): \(message)"
    }
}
