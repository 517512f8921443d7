internal import FoundationEssentials
public import MasterKit

/// A master as its file declares it: an immutable value.
public struct MasterConfiguration: Sendable {
    /// The path of the file.
    public let path: String
    /// The folder of the file, absolute: where factories without a source step run.
    public let folder: String
    /// What the master is called and where it is found.
    public let identity: MasterIdentity
    /// Properties of every build.
    public let properties: Properties
    /// The builders in the order of the file.
    public let builders: BuilderTable
    /// The reporters in the order of the file.
    public internal(set) var reporters: [ReporterDeclaration]
    /// The services other than reporters.
    public internal(set) var services: [ServiceDeclaration]
    /// The providers of secrets, asked in order.
    public let secretProviders: [SecretProviderDeclaration]
    /// Every secret that a setting asks for.
    public let secretUses: [SecretUse]
    /// The names of all properties that values ask for.
    public let propertyUses: Set<String>
    /// Whether all builds share cookies and other state of HTTP.
    public let httpSession: HTTPSessionSharing
    /// How safe a report is once it was accepted.
    public let durability: Durability
    /// How much is kept for receivers that are away, and for how long.
    public let deliveryBounds: DeliveryBounds
    /// The texts of the files that it was made of beside its own, by their paths.
    let textsOfFiles: [String: String]

    /// The plugins that builds and reports use, in the order of their start.
    var instances: [PluginInstance] {
        reporters.flatMap(\.instances) + services.flatMap(\.instances) + instancesOfSteps
    }

    /// The steps of all builders; a factory's are listed for each of its builders.
    var instancesOfSteps: [PluginInstance] {
        builders.flatMap(\.steps).flatMap(\.instances)
    }
}

/// Builders in the order of a file, found by name as well.
public struct BuilderTable: RandomAccessCollection, Sendable {
    private let builders: [BuilderConfiguration]
    private let indices: [String: Int]

    /// Makes a table; of two builders of one name the first is found.
    public init(_ builders: [BuilderConfiguration]) {
        self.builders = builders
        indices = Dictionary(
            builders.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { one, _ in one })
    }

    /// Where the builders begin.
    public var startIndex: Int { builders.startIndex }
    /// Where the builders end.
    public var endIndex: Int { builders.endIndex }

    /// The builder at a place.
    public subscript(index: Int) -> BuilderConfiguration { builders[index] }

    /// The builder of a name.
    public subscript(name: String) -> BuilderConfiguration? { indices[name].map { builders[$0] } }
}

/// Who shares cookies and other state of HTTP.
public enum HTTPSessionSharing: String, SettingEnumeration {
    /// The steps of one build.
    case build
    /// All steps of all builds, as in Buildbot.
    case shared
}

/// A builder as the file declares it.
public struct BuilderConfiguration: Sendable {
    /// The name, unique in a master.
    public let name: String
    /// A description.
    public let description: String?
    /// Labels that generators filter by.
    public let tags: [String]
    /// Properties of its builds.
    public let properties: Properties
    /// The environment of its commands; null takes a variable away.
    public let environment: Renderable<CommandEnvironment>
    /// Where its commands run, relative to the build's folder.
    public let workdir: Renderable<String>?
    /// Whether only another build can start it.
    public let isTriggeredOnly: Bool
    /// How long a build may take.
    public let maxTime: Renderable<Duration>?
    /// The builders whose builds must end well before its own begins, in a set with both.
    public internal(set) var needs: [String] = []
    /// The name of its factory; `nil` for steps of its own and for the default steps.
    public var factory: String?
    /// The allowed values of its factory's parameters, by name.
    public var choices: [String: [JSONValue]] = [:]
    /// The values that it has on the axes of its matrix.
    public var axes = JSONObject()
    /// The steps of its factory.
    public let steps: [StepDeclaration]
}

/// Absolute paths without `.` and `..`.
enum FilePaths {
    /// A path, taken from the current folder when it is relative.
    static func absolute(_ path: String) -> String {
        absolute(path, in: FileManager.default.currentDirectoryPath)
    }

    /// A path, taken from a folder when it is relative.
    static func absolute(_ path: String, in folder: String) -> String {
        let whole = path.hasPrefix("/") ? path : folder + "/" + path
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." {
                _ = parts.popLast()
            } else {
                parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// A name as one part of a path: all but letters, digits, `.`, `-` and `_` is encoded.
    static func component(_ name: String) -> String {
        let encoded = name.unicodeScalars.map { scalar in
            let isPlain =
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "-_.".unicodeScalars.contains(scalar)
            return isPlain ? String(scalar) : String(scalar).utf8.map(percentEncoded).joined()
        }.joined()
        return encoded.hasPrefix(".") ? "%2e" + encoded.dropFirst() : encoded
    }

    private static func percentEncoded(_ byte: UInt8) -> String {
        "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
