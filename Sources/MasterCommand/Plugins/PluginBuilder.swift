internal import FoundationEssentials
internal import Logging
internal import MasterKit
internal import MasterRuntime
internal import Subprocess
internal import SystemPackage

/// Builds the packages that a file names in `plugins` into libraries.
///
/// The sources are compiled against the modules that this program was built with, which are in its
/// release or build folder, and linked without them: the program has their code.
struct PluginBuilder {
    let context: CommandContext
    private let cache: PluginCache

    init(basedir: String, _ context: CommandContext) {
        cache = PluginCache(basedir: basedir)
        self.context = context
    }

    /// A package with its library.
    struct Built {
        let source: PluginSource
        let library: String
    }

    /// Builds the packages that have changed; says on standard error what it builds and what fails.
    ///
    /// - Parameter file: The file that names them. Mistakes in it, such as a wrong folder, are
    ///   reported when it is loaded.
    /// - Returns: All packages, or `nil` if one can't be built.
    func build(for file: String) async -> [Built]? {
        let sources = PluginLoader.sources(of: file).filter { !$0.isLibrary }
        guard !sources.isEmpty, let host = PluginHost.current else { return [] }
        var built: [Built] = []
        var hasFailed = false
        for source in sources {
            guard let state = state(of: source, for: host) else { continue }
            do throws(PluginFault) {
                switch state {
                case .built(let library): built.append(Built(source: source, library: library))
                case .missing(let library), .outdated(let library):
                    try await build(source, into: library, for: host)
                    built.append(Built(source: source, library: library))
                }
            } catch {
                hasFailed = true
                await complain(error)
            }
        }
        return hasFailed ? nil : built
    }

    private func say(_ line: String) async {
        guard let log = context.log else { return await context.console.complain([line]) }
        log.info("\(line)")
    }

    private func complain(_ fault: PluginFault) async {
        guard let log = context.log else {
            let paint = TextPainter(hasColour: context.console.error.hasColour)
            return await context.console.complain("\(paint(.boldRed, "error:")) \(fault)".lines)
        }
        log.error("\(fault)")
    }

    /// Builds the packages that have changed, and returns the libraries that the file then loads;
    /// `nil` if one can't be built.
    func libraries(for file: String) async -> [String]? {
        guard let built = await build(for: file) else { return nil }
        return built.map(\.library)
            + PluginLoader.sources(of: file).filter(\.isLibrary).map(\.path)
    }

    /// Whether a package is built; `nil` for a wrong place, which is reported when it is loaded.
    private func state(of source: PluginSource, for host: PluginHost) -> PluginCache.State? {
        try? cache.state(of: source, for: host)
    }

    private func build(
        _ source: PluginSource, into library: String, for host: PluginHost
    ) async throws(PluginFault) {
        let started = ContinuousClock.now
        await say("building the plugins of \(source.label)")
        let modules = try PluginModules.ofThisProgram()
        let toolchain = PluginToolchain(source: source, context.environment)
        let swift = try await toolchain.version()
        guard swift == modules.swift else {
            throw PluginFault(
                "the plugins of '\(source.label)' can't be built: the Swift in PATH is \(swift), but "
                    + "this program was built with \(modules.swift); build both with one Swift")
        }
        let manifest = try PluginManifest(try await toolchain.manifest(), of: source)
        let folder = try file { try cache.makeBuildFolder(of: source) }
        do throws(PluginFault) {
            let made = "\(folder.path)/plugins.so"
            try await toolchain.compile(manifest, against: modules, into: made)
            let keys = try await keys(of: made, source)
            let record = PluginRecord(
                host: PluginHost(swift: swift, masterKit: host.masterKit), keys: keys)
            try keep(made, as: library, record)
            try file { try cache.removeLibraries(of: source, replacedBy: library) }
            try file { try folder.remove() }
        } catch {
            // Why it can't be built is what the user has to know.
            try? folder.remove()
            throw error
        }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let tenths = Int((seconds * 10).rounded())
        await say("built the plugins of \(source.label) in \(tenths / 10).\(tenths % 10) s")

        func file<Value>(_ body: () throws -> Value) throws(PluginFault) -> Value {
            do {
                return try body()
            } catch {
                throw PluginFault(
                    "the plugins of '\(source.label)' can't be kept in "
                        + "'\(cache.folder(of: source))': \(error)")
            }
        }

        func keep(
            _ made: String, as library: String, _ record: PluginRecord
        ) throws(PluginFault) {
            try file {
                // Another process may build the same.
                try Data(contentsOf: URL(filePath: made)).write(
                    to: URL(filePath: library), options: .atomic)
                // Last: a library with a record is complete.
                let text = JSONWriter.pretty.string(record.json) + "\n"
                try Data(text.utf8).write(
                    to: URL(filePath: PluginRecord.path(of: library)), options: .atomic)
            }
        }
    }

    /// Loads a new library in another process, and returns the keys of its plugins.
    ///
    /// - Throws: ``PluginFault`` if that fails or crashes, so that it never happens here.
    private func keys(
        of library: String, _ source: PluginSource
    ) async throws(PluginFault) -> [String] {
        let ended = try await PluginToolchain.run(
            .path(FilePath(PluginHost.path)), ["plugins", "probe", library], context.environment)
        switch ended.status {
        case .exited(0): return ended.output.split(separator: "\n").map(String.init)
        case .exited:
            let text = ended.error.replacing(library, with: source.label)
            throw PluginFault(
                text.hasPrefix("error: ")
                    ? String(text.dropFirst("error: ".count)).trimmingLineBreaks : text)
        case .signaled(let signal):
            let lines = ended.error.split(whereSeparator: \.isNewline)
            let reason = lines.first { $0.contains("Fatal error") } ?? lines.first
            throw PluginFault(
                "the plugins of '\(source.label)' crash when they are registered (signal \(signal))"
                    + (reason.map { ": \($0)" } ?? ""))
        }
    }
}
