internal import MasterKit
internal import MasterRuntime

/// Determines which builders have the requested steps, as far as this is known before they build.
struct StepFilter: Sendable {
    private let selection: StepSelection
    private let configuration: MasterConfiguration
    private let environment: [String: String]
    private let basedir: String

    init(
        _ selection: StepSelection, _ configuration: MasterConfiguration,
        _ environment: [String: String], _ basedir: String
    ) {
        self.selection = selection
        self.configuration = configuration
        self.environment = environment
        self.basedir = basedir
    }

    /// Returns a preview of a build.
    func preview(of builder: BuilderConfiguration, _ request: BuildsetRequest) -> BuildPreview {
        preview(of: builder, request, selection)
    }

    private func preview(
        of builder: BuilderConfiguration, _ request: BuildsetRequest, _ steps: StepSelection
    ) -> BuildPreview {
        BuildPreview(
            of: builder, in: configuration, request, steps: steps, basedir: basedir,
            environment: environment)
    }

    /// Returns the builders that have all of the steps, or may have, if a name is only known in the
    /// build.
    ///
    /// - Throws: ``UsageError`` if no builder has them, or if two are in the wrong order.
    func builders(
        among builders: [BuilderConfiguration], _ request: BuildsetRequest
    ) throws(UsageError) -> [BuilderConfiguration] {
        guard !selection.isEverything else { return builders }
        let all = builders.map { builder in
            let steps = preview(of: builder, request, StepSelection()).steps
            return (
                builder: builder, names: steps.compactMap(\.name),
                isOpen: steps.contains { $0.name == nil }
            )
        }
        try check(all.map(\.names), isOpen: all.contains(where: \.isOpen))
        let fitting = all.filter { candidate in
            candidate.isOpen || wanted.allSatisfy { Self.has(candidate.names, $0.step) }
                || hasSomeOfOnly(candidate.names)
        }.map(\.builder)
        guard !fitting.isEmpty else {
            throw UsageError("no builder has all of these steps; ask for fewer")
        }
        guard let first = selection.first, let last = selection.last,
            !all.contains(where: \.isOpen)
        else { return fitting }
        let ordered = fitting.filter { builder in
            Self.has(preview(of: builder, request).steps.compactMap(\.name), last)
        }
        guard !ordered.isEmpty else {
            throw UsageError(
                "--until \(last): this step comes before '\(first)', the one of --from")
        }
        return ordered
    }

    private var wanted: [(option: String, step: String)] {
        (selection.first.map { [("--from", $0)] } ?? [])
            + (selection.last.map { [("--until", $0)] } ?? [])
            + selection.only.map { ("--only", $0) }
    }

    /// Whether the builder has at least one of the steps of `--only`, and so takes part.
    private func hasSomeOfOnly(_ names: [String]) -> Bool {
        selection.only.contains { Self.has(names, $0) }
    }

    private func check(_ names: [[String]], isOpen: Bool) throws(UsageError) {
        guard !isOpen else { return }
        for (option, step) in wanted where !names.contains(where: { Self.has($0, step) }) {
            var known: [String] = []
            for name in names.flatMap(\.self) where !known.contains(name) { known.append(name) }
            let remedy = Suggestion.remedy(for: step, among: known)
            throw UsageError("\(option) \(step): there is no such step; \(remedy)")
        }
    }

    private static func has(_ names: [String], _ step: String) -> Bool {
        let pattern = NamePattern(step)
        return names.contains { pattern.matches($0) }
    }
}
