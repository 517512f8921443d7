/// The data from which values are computed, at one moment of a build.
public struct RenderContext: Sendable {
    /// The build's properties.
    public var properties: Properties
    /// The source stamps of the build.
    public var sourceStamps: [SourceStamp]
    /// Information about the worker.
    public var worker: JSONObject
    /// The values of the secrets used by the configuration.
    public var secrets: SecretValues
    /// The result so far, for `!Results` conditions.
    public var results: Results
    /// The context of templates: build, builder, buildset and related records.
    public var template: JSONObject {
        get { makeTemplate() }
        set { makeTemplate = { newValue } }
    }
    private var makeTemplate: @Sendable () -> JSONObject
    /// Whether the values are URLs, in which inserted values are encoded.
    var insertsIntoAddress = false

    /// Creates a context.
    public init(
        properties: Properties = Properties(), sourceStamps: [SourceStamp] = [],
        worker: JSONObject = JSONObject(), secrets: SecretValues = SecretValues(),
        results: Results = .success, template: JSONObject = JSONObject()
    ) {
        self.init(
            properties: properties, sourceStamps: sourceStamps, worker: worker, secrets: secrets,
            results: results, template: { template })
    }

    /// Creates a context whose template context is built on first use, which is rare in a build.
    package init(
        properties: Properties, sourceStamps: [SourceStamp], worker: JSONObject,
        secrets: SecretValues, results: Results,
        template makeTemplate: @escaping @Sendable () -> JSONObject
    ) {
        self.properties = properties
        self.sourceStamps = sourceStamps
        self.worker = worker
        self.secrets = secrets
        self.results = results
        self.makeTemplate = makeTemplate
    }
}

/// The scope in which a value is rendered, which determines what it can refer to.
public enum RenderScope: Sendable, Hashable {
    /// In a build: properties, sources, worker and secrets.
    case build
    /// In a service, which does not belong to a build: only secrets.
    case service
    /// In the body of a report: the template context and properties.
    case report
    /// In a setting of a reporter that is computed for each report: the same as `report`, and
    /// secrets.
    case reporter
}

/// The values of secrets by name, fetched before the first build.
public struct SecretValues: Sendable {
    /// The values by name.
    package let byName: [String: String]
    /// Replaces these values, and other masked ones, in everything that is displayed or stored.
    public let mask: SecretMask
    /// Variables of the master's environment that hold secrets; they are not passed to commands.
    public let withheldVariables: Set<String>

    /// Creates a set of secret values.
    ///
    /// - Parameters:
    ///   - values: The values by name.
    ///   - others: Values that are masked as well but cannot be used.
    ///   - variables: Environment variables that are not passed to commands.
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

    /// Returns these values with the mask of earlier ones, which masks these as well from now on.
    ///
    /// Former secrets remain masked.
    package func following(_ earlier: SecretValues) -> SecretValues {
        earlier.mask.hide(all: mask)
        return SecretValues(
            byName, mask: earlier.mask,
            withholding: withheldVariables.union(earlier.withheldVariables))
    }
}

/// An error computing a value at run time, with its location in the file.
public struct RenderError: Error, CustomStringConvertible {
    /// What is wrong and how to fix it; contains no secrets.
    public let message: String
    /// The location of the value.
    public let range: SourceRange?

    /// Creates an error.
    public init(_ message: String, at range: SourceRange? = nil) {
        self.message = message
        self.range = range
    }

    /// The message, with the line it refers to.
    public var description: String {
        guard let range else { return message }
        return "line \(range.start.line): \(message)"
    }
}
