import FoundationEssentials
public import MasterKit
import MasterRuntime
public import MasterTesting

/// Runs a whole master in a test: a master.yaml in, builds and reports out.
///
/// ```swift
/// let master = MasterHarness(yaml, plugins: [standardPlugins, plugins], secrets: ["token": "s3cr3t"])
/// let run = try await master.run()
/// #expect(run.builds.map(\.results) == [.success])
/// #expect(run.builds[0].step("CountLines")?.stateString == "2 lines")
/// ```
///
/// Builds, reports and services run as with `buildmaster run`, in a base folder that is removed
/// afterwards; signals and the terminal are left alone. What a `reporters.RecordingReporter` in the
/// file gets is kept in ``MasterRun/recording``. Any number of masters can run at once.
public struct MasterHarness: Sendable {
    private enum Source: Sendable {
        case text(String, files: [String: String])
        case file(String)
    }

    private let source: Source
    private let plugins: [PluginBundle]
    private let secrets: [String: String]?
    private let environment: [String: String]

    /// Creates a master from the text of a master.yaml.
    ///
    /// - Parameters:
    ///   - yaml: The text.
    ///   - files: The texts of other files in its folder, by name.
    ///   - plugins: The plugins that it may name, besides the recording reporter.
    ///   - secrets: The values of secrets by name; without them, the providers in the text are asked.
    ///   - environment: The environment variables for `!Env`.
    public init(
        _ yaml: String, files: [String: String] = [:], plugins: [PluginBundle],
        secrets: [String: String]? = nil, environment: [String: String] = [:]
    ) {
        self.init(.text(yaml, files: files), plugins, secrets, environment)
    }

    /// Creates a master from a master.yaml.
    ///
    /// Builds without a source step run in the folder of the file, as always.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - plugins: The plugins that it may name, besides the recording reporter.
    ///   - secrets: The values of secrets by name; without them, the providers in the file are asked.
    ///   - environment: The environment variables for `!Env`.
    public init(
        file path: String, plugins: [PluginBundle], secrets: [String: String]? = nil,
        environment: [String: String] = [:]
    ) {
        self.init(.file(path), plugins, secrets, environment)
    }

    private init(
        _ source: Source, _ plugins: [PluginBundle], _ secrets: [String: String]?,
        _ environment: [String: String]
    ) {
        self.source = source
        self.plugins = plugins + [PluginBundle(RecordingReporter.self)]
        self.secrets = secrets
        self.environment = environment
    }

    /// Runs builders to their ends, then everything that services and steps have submitted, and sends
    /// the reports.
    ///
    /// - Parameters:
    ///   - builders: The builders; by default all that do not need a trigger.
    ///   - properties: Properties that override those of the file.
    ///   - sourceStamps: The sources to build.
    ///   - reportLimit: How long to wait for reports to be delivered.
    /// - Returns: What has run, and what was reported.
    /// - Throws: `ConfigurationError` if the file is wrong or a secret is missing, or an error of the
    ///   master.
    public func run(
        _ builders: [String]? = nil, properties: JSONObject = [:],
        sourceStamps: [SourceStamp] = [SourceStamp()], reportLimit: Duration = .seconds(20)
    ) async throws -> MasterRun {
        let request = BuildsetRequest(
            builders: builders, reason: "test", sourceStamps: sourceStamps,
            properties: Properties(properties, source: "test"))
        return try await withTemporaryFolder { folder in
            try await run(request, in: folder, reportLimit)
        }
    }

    private func run(
        _ request: BuildsetRequest, in folder: TemporaryFolder, _ reportLimit: Duration
    ) async throws -> MasterRun {
        let (recording, messages) = (Recording(), RecordedMessages())
        let configuration = try configuration(in: folder, recordingIn: recording)
        let basedir = "\(folder.path)/.buildmaster"
        let (finished, summary) = try await Master.run(
            configuration, try await values(for: configuration),
            options: Master.Options(basedir: basedir),
            logger: Logger(label: "master") { _ in messages.handler }
        ) { master in
            var builds = try await master.wait(for: try await master.submit(request))
            builds += try await master.endServices()
            return (builds, try await master.drain(for: reportLimit, isPatient: true))
        }
        let builds = try await BuildHistory.with(folder: basedir) { history in
            var builds: [FinishedMasterBuild] = []
            for build in finished { builds.append(try await FinishedMasterBuild(build, history)) }
            return builds
        }
        return MasterRun(
            builds: builds, recording: recording,
            deliveries: summary.deliveries.map { MasterRun.Delivery($0) }, messages: messages)
    }

    private func configuration(
        in folder: TemporaryFolder, recordingIn recording: Recording
    ) throws -> MasterConfiguration {
        let path: String
        switch source {
        case .file(let given): path = given
        case .text(let text, let files):
            path = "\(folder.path)/master.yaml"
            for (name, text) in files { try folder.write(text, to: name) }
            try folder.write(text, to: "master.yaml")
        }
        let registry = try Registry(plugins)
        let loaded = Recording.$current.withValue(recording) {
            MasterConfiguration.load(path: path, registry: registry, environment: environment)
        }
        guard let configuration = loaded.configuration else {
            throw WrongConfiguration(words: ConfigurationFixture.words(loaded.diagnostics))
        }
        return configuration
    }

    private func values(for configuration: MasterConfiguration) async throws -> SecretValues {
        guard let secrets else { return try await SecretFetcher(configuration).fetch().usable() }
        let missing = Set(configuration.secretUses.map(\.name)).subtracting(secrets.keys).sorted()
        guard missing.isEmpty else {
            throw WrongConfiguration(
                words: missing.map { "the test gives no value for the secret '\($0)'" })
        }
        return SecretValues(secrets)
    }
}

/// The errors in the configuration of a master that a test runs.
private struct WrongConfiguration: Error, CustomStringConvertible {
    let words: [String]

    var description: String { words.joined(separator: "\n") }
}

/// What a master has built and reported in a test.
public struct MasterRun: Sendable {
    /// A report on its way to a reporter.
    public struct Delivery: Sendable {
        /// The name of the reporter.
        public let reporter: String
        /// The subject of the report: `default #3 started`, `default #3 success`.
        public let subject: String
        /// `delivered`, `open` if it would be sent again, or `dead`.
        public let state: String
        /// The number of attempts.
        public let attempts: Int
        /// Why it was not delivered.
        public let error: String?

        init(_ status: DeliveryStatus) {
            reporter = status.reporter
            subject = status.subject
            state = status.state.rawValue
            attempts = status.attempts
            error = status.error
        }
    }

    /// The builds: first the requested ones in the order of their builders, then those that services
    /// and steps have submitted.
    public let builds: [FinishedMasterBuild]
    /// What the recording reporters of the file got.
    public let recording: Recording
    /// The first reports to any reporter, at most 40.
    public let deliveries: [Delivery]
    /// The messages of the master, with secrets masked.
    public let messages: RecordedMessages

    /// The last build of a builder.
    public func build(_ builder: String) -> FinishedMasterBuild? {
        builds.last { $0.builder == builder }
    }
}

/// A build that a master has finished in a test.
public struct FinishedMasterBuild: Sendable {
    /// A step of the build.
    public struct Step: Sendable {
        /// The name.
        public let name: String
        /// The result, or `nil` if the step was not run.
        public let results: Results?
        /// The state text.
        public let stateString: String
        /// The links: text and address.
        public let urls: [(name: String, url: String)]
        /// The logs by name: lines that begin with the letter of their channel. A second log of the
        /// same name has a number after it.
        public let logs: [String: String]
    }

    /// The name of the builder.
    public let builder: String
    /// The number within the builder.
    public let number: Int
    /// The result.
    public let results: Results
    /// The state text.
    public let stateString: String
    /// The properties, with secrets masked.
    public let properties: Properties
    /// The steps, in order.
    public let steps: [Step]

    /// The step with a name.
    public func step(_ name: String) -> Step? { steps.first { $0.name == name } }

    init(_ finished: FinishedBuild, _ history: BuildHistory?) async throws {
        let build = finished.build
        builder = finished.builder
        number = build.number
        results = build.results ?? .exception
        stateString = build.stateString
        properties = build.properties
        var steps: [Step] = []
        for step in finished.steps {
            var logs: [String: String] = [:]
            for log in try await history?.logs(of: step) ?? [] {
                let bytes = try Data(contentsOf: URL(filePath: log.path))
                let name = logs[log.log.name] == nil ? log.log.name : log.log.slug
                logs[name] = String(decoding: bytes, as: UTF8.self)
            }
            steps.append(
                Step(
                    name: step.name, results: step.results, stateString: step.stateString,
                    urls: step.urls.map { ($0.name, $0.url) }, logs: logs))
        }
        self.steps = steps
    }
}
