/// A ready-made list of steps, such as those that build and test a kind of project.
///
/// ```swift
/// struct Make: BuildFactory {
///     static let summary = "Builds and tests a project that has a makefile."
///
///     @Setting("The target to build.") var target: Renderable<String>?
///     @Setting("Run 'make check'.") var test = true
///
///     var steps: [FactoryStep] {
///         let build = FactoryStep(
///             "steps.Compile", ["command": ["make", $target.literal ?? "all"]])
///         return test ? [build, FactoryStep("steps.Test", ["command": "make check"])] : [build]
///     }
/// }
/// ```
///
/// In a file it stands in place of the factory of a builder, `factory: {factories.Make: {…}}`, or
/// among steps, whose place its own steps then take. A factory is not started or stopped, unlike
/// its steps.
public protocol BuildFactory: Plugin where Options == NoOptions {
    /// The steps. Called once its settings have been read.
    ///
    /// They are read as if they stood in the file: mistakes in them are reported at the factory.
    var steps: [FactoryStep] { get }
}

extension BuildFactory {
    /// The namespace `factories`.
    public static var namespace: PluginNamespace { PluginKind.factories.namespace }
}

extension PluginKind<any BuildFactory, NoOptions> {
    /// The plugin kind for ready-made factories.
    public static var factories: Self { Self("factories", scope: .build) }
}

/// A step of a factory: the key of a plugin with its settings.
public struct FactoryStep: Sendable, Hashable {
    let node: YAMLNode

    /// Creates a step.
    ///
    /// - Parameters:
    ///   - key: The key of a step, such as `steps.Compile`.
    ///   - settings: A mapping of its settings, or a single value for the primary one.
    public init(_ key: String, _ settings: SettingLiteral = [:]) {
        node = YAMLNode(YAMLMapping([.init(key: YAMLNode(key), value: settings.node)]))
    }
}

extension Setting {
    /// The value as it stands in master.yaml, with expressions that are yet to be computed, or
    /// `nil` if it is omitted or null.
    public var literal: SettingLiteral? {
        node.flatMap { $0.isNull ? nil : SettingLiteral($0) }
    }
}

extension SettingLiteral {
    /// The text of a constant scalar; `nil` for anything else, including expressions.
    public var text: String? { node.isNull ? nil : node.scalarText }

    /// The items of a list; `nil` for anything else.
    public var items: [SettingLiteral]? {
        guard node.expressionName == nil else { return nil }
        return node.sequence?.map { SettingLiteral($0) }
    }

    /// The names and values of a mapping whose keys are constants; `nil` for anything else.
    public var entries: [(name: String, value: SettingLiteral)]? {
        guard node.expressionName == nil, let entries = node.mapping?.entries else { return nil }
        let named = entries.compactMap { entry in
            entry.key.scalarText.map { ($0, SettingLiteral(entry.value)) }
        }
        return named.count == entries.count ? named : nil
    }
}

extension SettingDecoder {
    /// The entries of a list with each factory replaced by its steps.
    ///
    /// - Returns: The entries, each with the location of the factory that it comes from, or `nil`
    ///   for a factory with mistakes.
    func expanding(_ entries: [YAMLNode]) -> [(node: YAMLNode, place: SourceRange?)?] {
        entries.flatMap { entry -> [(node: YAMLNode, place: SourceRange?)?] in
            let key = entry.mapping?.entries.first?.key ?? entry
            let prefix = PluginKind.factories.namespace.rawValue + "."
            guard entry.expressionName == nil, key.scalarText?.hasPrefix(prefix) == true else {
                return [(entry, nil)]
            }
            guard let factory = plugin(.factories, from: entry, isUsed: false)?.plugin else {
                return [nil]
            }
            return factory.steps.map { ($0.node, key.range) }
        }
    }
}
