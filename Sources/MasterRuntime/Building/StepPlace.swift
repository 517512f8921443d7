internal import MasterKit

/// Where a step's commands run, what environment they have and what becomes of their output.
struct StepPlace: Sendable {
    let workdir: String
    let environment: [String: String?]
    let encoding: LogEncoding
    let logLimit: LogLimit

    init(
        _ options: StepOptions, of builder: BuilderConfiguration, in folder: String,
        _ context: RenderContext
    ) throws(RenderError) {
        let base = FilePaths.absolute(try builder.workdir?.render(in: context) ?? ".", in: folder)
        workdir = FilePaths.absolute(try options.workdir?.render(in: context) ?? ".", in: base)
        let variables = try builder.environment.render(in: context).variables
        environment = Dictionary(uniqueKeysWithValues: variables.map { ($0.key, $0.value) })
        encoding = options.logEncoding
        logLimit = options.maxLogSize
    }

    /// The folder itself, when what the file says can't be rendered.
    init(folder: String) {
        workdir = folder
        environment = [:]
        encoding = .utf8
        logLimit = .standard
    }
}
