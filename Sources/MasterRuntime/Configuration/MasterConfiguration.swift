internal import FoundationEssentials
package import MasterKit

/// The immutable configuration of a master, as declared in its file.
package struct MasterConfiguration: Sendable {
    /// The path of the file.
    package let path: String
    /// The absolute path of the file's folder, where factories without a source step run.
    package let folder: String
    /// The title and URL of the master.
    package let identity: MasterIdentity
    /// Properties of every build.
    package let properties: Properties
    /// The builders in the order of the file.
    package let builders: BuilderTable
    /// The reporters in the order of the file.
    package internal(set) var reporters: [ReporterDeclaration]
    /// The services other than reporters.
    package internal(set) var services: [ServiceDeclaration]
    /// The change sources in the order of the file.
    package internal(set) var changeSources: [ChangeSourceDeclaration]
    /// The schedulers in the order of the file.
    package internal(set) var schedulers: [SchedulerDeclaration]
    /// The workers, or `nil` if the file has no such section: the master's own machine.
    package internal(set) var workers: [WorkerDeclaration]?
    /// Where workers connect, or `nil` if none can.
    package let endpoint: EndpointSettings?
    /// The providers of secrets, in the order in which they are asked.
    package let secretProviders: [SecretProviderDeclaration]
    /// Every secret that a setting refers to.
    package private(set) var secretUses: [SecretUse]
    /// The names of all properties that values refer to.
    package let propertyUses: Set<String>
    /// The units of each lock, by name.
    let locks: [String: LockLimit]
    /// Whether all builds share cookies and other HTTP state.
    package let httpSession: HTTPSessionSharing
    /// What an accepted report survives.
    package let durability: Durability
    /// How much is stored for unavailable receivers, and for how long.
    package let deliveryBounds: DeliveryBounds
    /// The web page, or `nil` without one.
    package let web: WebSettings?
    /// What the file says of the web page, to compare configurations.
    let webNode: YAMLNode?
    /// What is removed while the master stays up, or `nil` for nothing.
    let janitor: JanitorSettings?
    /// The contents of other files that settings refer to, by path.
    let textsOfFiles: [String: String]

    /// The files that it was read from, absolute: its own and those that settings refer to.
    package var files: [String] { [FilePaths.absolute(path)] + textsOfFiles.keys.sorted() }

    /// The form of a scheduler; `nil` if people cannot force its builds.
    package func form(of scheduler: SchedulerDeclaration) -> ForceForm? {
        let all = workers?.map(\.name) ?? [WorkerCheck.localName]
        return ForceForm(scheduler) { [builders] in builders[$0]?.workerNames ?? all }
    }

    /// A copy that builds on this machine, and needs no secrets of workers.
    package var withoutWorkers: MasterConfiguration {
        let places = (workers ?? []).compactMap { $0.node?.range }
        var copy = self
        copy.workers = nil
        copy.secretUses.removeAll { use in
            places.contains { place in
                guard let range = use.range else { return false }
                return place.start.offset <= range.start.offset
                    && range.end.offset <= place.end.offset
            }
        }
        return copy
    }

    /// The plugins that builds and reports use, in the order in which they are started.
    var instances: [PluginInstance] {
        let beside = reporters.flatMap(\.instances) + services.flatMap(\.instances)
        let triggers = changeSources.flatMap(\.instances) + schedulers.flatMap(\.instances)
        return beside + triggers + (workers ?? []).flatMap(\.instances) + instancesOfSteps
    }

    /// The steps of all builders; those of a factory are listed once for each of its builders.
    var instancesOfSteps: [PluginInstance] {
        builders.flatMap(\.steps).flatMap(\.instances)
    }
}

/// Builders in the order of the file, with lookup by name.
package struct BuilderTable: RandomAccessCollection, Sendable {
    private let builders: [BuilderConfiguration]
    private let indices: [String: Int]

    /// Creates a table; looking up a duplicate name returns the first builder.
    package init(_ builders: [BuilderConfiguration]) {
        self.builders = builders
        indices = Dictionary(
            builders.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { one, _ in one })
    }

    /// The index of the first builder.
    package var startIndex: Int { builders.startIndex }
    /// The index after the last builder.
    package var endIndex: Int { builders.endIndex }

    /// The builder at an index.
    package subscript(index: Int) -> BuilderConfiguration { builders[index] }

    /// The builder with a name.
    package subscript(name: String) -> BuilderConfiguration? { indices[name].map { builders[$0] } }
}

/// Who shares cookies and other HTTP state.
package enum HTTPSessionSharing: String, SettingEnumeration {
    /// The steps of one build.
    case build
    /// All steps of all builds, as in Buildbot.
    case shared
}

/// A builder as the file declares it.
package struct BuilderConfiguration: Sendable {
    /// The name, unique in a master.
    package let name: String
    /// A description.
    package let description: String?
    /// Labels that generators filter by.
    package let tags: [String]
    /// Properties of its builds.
    package let properties: Properties
    /// The environment of its commands; null removes a variable.
    package let environment: Renderable<CommandEnvironment>
    /// Where its commands run, relative to the build's folder.
    package let workdir: Renderable<String>?
    /// Whether only another build can start it.
    package let isTriggeredOnly: Bool
    /// How long a build may take.
    package let maxTime: Renderable<Duration>?
    /// The builders whose builds must succeed before its own starts, if both are in the same
    /// buildset.
    package internal(set) var needs: [String] = []
    /// The locks that its builds hold from their start to their end.
    var locks: [LockDemand] = []
    /// Whether it depends on the worker of a build whether the build can have them.
    var hasWorkerLocks: Bool { locks.contains(where: \.limit.isPerWorker) }
    /// The locks that its builds need in any case: of several workers, each may have some free.
    var certainLocks: [LockDemand] {
        let worker = workerNames?.count == 1 ? workerNames?.first : nil
        return locks.map { $0.on(worker) }.filter { !$0.limit.isPerWorker || worker != nil }
    }
    /// The names of the workers that may run its builds, or `nil` for all of them.
    package var workerNames: [String]?
    /// Which of several free workers takes a build.
    package var nextWorker = WorkerChoice.leastLoaded
    /// Whether pending requests that ask for the same are built once.
    var collapsesRequests = true
    /// The name of its factory, or `nil` if it has its own steps or the default steps.
    package var factory: String?
    /// The allowed values of its factory's parameters, by name.
    package var choices: [String: [JSONValue]] = [:]
    /// Its values on the axes of its matrix.
    package var axes = JSONObject()
    /// The steps of its factory.
    package let steps: [StepDeclaration]
    /// The nodes of the settings that are computed for each build, to compare builders.
    var computedSettings: [YAMLNode?] = []
}

/// Absolute paths without `.` and `..`.
package enum FilePaths {
    /// The absolute path; a relative one refers to the current folder.
    static func absolute(_ path: String) -> String {
        absolute(path, in: FileManager.default.currentDirectoryPath)
    }

    /// The absolute path; a relative one refers to a folder.
    package static func absolute(_ path: String, in folder: String) -> String {
        let whole = path.hasPrefix("/") ? path : folder + "/" + path
        var parts: [Substring] = []
        let slash = UInt8(ascii: "/")
        for part in whole.utf8.split(separator: slash).map(Substring.init) where part != "." {
            if part == ".." {
                _ = parts.popLast()
            } else {
                parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Encodes a name as a path component: all but letters, digits, `.`, `-` and `_` is encoded.
    static func component(_ name: String) -> String {
        let encoded = name.unicodeScalars.map { scalar in
            scalar.isPlainInFileNames
                ? String(scalar) : String(scalar).utf8.map(percentEncoded).joined()
        }.joined()
        return encoded.hasPrefix(".") ? "%2e" + encoded.dropFirst() : encoded
    }

    private static func percentEncoded(_ byte: UInt8) -> String {
        "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}

extension Unicode.Scalar {
    /// Whether names of files contain it as it is: a letter, a digit, `.`, `-` or `_`.
    var isPlainInFileNames: Bool {
        switch self {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
        default: !isASCII && (properties.isAlphabetic || properties.numericType != nil)
        }
    }
}
