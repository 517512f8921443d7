public import MasterKit

/// Makes the body that `format` of a reporter describes.
public struct BodyFormatter: MessageFormatter {
    /// What the formatter does.
    public static let summary = "Makes the body that 'format' of a reporter describes."

    private let value: ReportValue
    private let modes: [BuildModes.Mode]
    /// What is fetched: what the reporter asks for, and what the body uses.
    public let wanted: BuildDetails

    /// Makes a formatter whose body is null.
    public init() {
        value = .constant(.null)
        modes = []
        wanted = BuildDetails()
    }

    init(_ format: ReportFormat, wanted: BuildDetails) {
        self.init(format.value, modes: [], wanted: wanted.union(format.needs))
    }

    private init(_ value: ReportValue, modes: [BuildModes.Mode], wanted: BuildDetails) {
        self.value = value
        self.modes = modes
        self.wanted = wanted
    }

    /// The formatter as it works for a generator of these modes.
    func reporting(_ modes: BuildModes) -> BodyFormatter {
        BodyFormatter(value, modes: modes.modes, wanted: wanted)
    }

    /// Computes the body.
    ///
    /// - Throws: When a template can't be rendered, or grows beyond all bounds.
    public func format(_ build: JSONObject, in context: ReportContext) async throws -> Report {
        let template = ReportVariables.values(
            of: build, after: try await context.previousResults(), modes: modes,
            master: context.master)
        let body = try value.render(
            in: RenderContext(
                properties: Properties(json: build["properties"]?.objectValue ?? [:]),
                sourceStamps: SourceStamp.stamps(of: build),
                results: context.event.results ?? .success, template: template))
        return Report(
            body: .json(body), results: context.event.results,
            buildIDs: [context.event.buildID].compactMap(\.self))
    }
}

extension BuildDetails {
    /// What is wanted by either.
    fileprivate func union(_ other: BuildDetails) -> BuildDetails {
        BuildDetails(
            properties: properties || other.properties, steps: steps || other.steps,
            logs: logs || other.logs,
            logContents: other.logContents == .none ? logContents : other.logContents)
    }
}

extension SourceStamp {
    /// The sources in the record of a build.
    fileprivate static func stamps(of build: JSONObject) -> [SourceStamp] {
        let stamps = build["buildset"]?["sourcestamps"]?.arrayValue ?? []
        return stamps.map { stamp in
            SourceStamp(
                branch: stamp["branch"]?.stringValue, revision: stamp["revision"]?.stringValue,
                repository: stamp["repository"]?.stringValue ?? "",
                project: stamp["project"]?.stringValue ?? "",
                codebase: stamp["codebase"]?.stringValue ?? "")
        }
    }
}
