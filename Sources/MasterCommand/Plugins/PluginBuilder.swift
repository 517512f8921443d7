internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime
internal import Subprocess
internal import SystemPackage

/// Builds the packages that a file names in `plugins` into libraries.
///
/// The sources are compiled against the modules that this program was built with, which are in its
/// build folder, and linked without them: the program has their code.
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
                let paint = TextPainter(hasColour: context.console.error.hasColour)
                await context.console.complain(
                    "\(paint(.boldRed, "error:")) \(error)".lines)
            }
        }
        return hasFailed ? nil : built
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
        await context.console.complain(["building the plugins of \(source.label)"])
        let modules = try PluginModules.ofThisProgram()
        let toolchain = PluginToolchain(source: source, context.environment)
        let swift = try await toolchain.version()
        guard swift == modules.swift else {
            throw PluginFault(
                "the plugins of '\(source.label)' can't be built: the Swift in PATH is \(swift), but "
                    + "this program was built with \(modules.swift); build both with one Swift")
        }
        let manifest = try PluginManifest(try await toolchain.manifest(), of: source)
        let folder = "\(cache.folder(of: source))/building-\(UUID())"
        try file {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        }
        do throws(PluginFault) {
            let made = "\(folder)/plugins.so"
            try await toolchain.compile(manifest, against: modules, into: made)
            let keys = try await keys(of: made, source)
            let record = PluginRecord(
                host: PluginHost(swift: swift, masterKit: host.masterKit), keys: keys)
            try keep(made, as: library, record)
            try file { try cache.removeLibraries(of: source, except: library) }
            try file { try FileManager.default.removeItem(atPath: folder) }
        } catch {
            // Why it can't be built is what the user has to know.
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let tenths = Int((seconds * 10).rounded())
        await context.console.complain(
            ["built the plugins of \(source.label) in \(tenths / 10).\(tenths % 10) s"])

        func file(_ body: () throws -> Void) throws(PluginFault) {
            do {
                try body()
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

extension String {
    fileprivate var trimmingLineBreaks: String {
        String(self[..<(lastIndex { !$0.isNewline }.map { index(after: $0) } ?? startIndex)])
    }
}

/// The modules that this program was built with.
struct PluginModules {
    /// The folder with `MasterKit.swiftmodule`.
    let folder: String
    /// The folders of the C modules that these need.
    let headers: [String]
    /// The compiler's cache of C modules, if the build folder has one.
    let cache: String?
    /// The version of Swift that made them.
    let swift: String

    private static let wrappers = ["CLibCurl", "CLibPCRE2", "CLibYAML"]

    static func ofThisProgram() throws(PluginFault) -> PluginModules {
        let files = FileManager.default
        let program: String
        do {
            program = try files.destinationOfSymbolicLink(atPath: PluginHost.path)
        } catch {
            throw PluginFault("this program can't find itself, to compile plugins for it: \(error)")
        }
        let build = program.parentFolder
        let folder = "\(build)/Modules"
        let module = "\(folder)/MasterKit.swiftmodule"
        guard files.fileExists(atPath: module), let checkout = checkout(of: program) else {
            throw PluginFault(
                "plugins can only be compiled for a program in the build folder of a checkout, which "
                    + "has the module MasterKit; there is none for \(program)")
        }
        // A module that was compiled after the program was linked may be of other sources.
        guard let made = date(of: module), let linked = date(of: program), made <= linked else {
            throw PluginFault(
                "the module MasterKit in \(folder) is newer than this program; build the program "
                    + "again with 'swift build'")
        }
        let cache = "\(build)/ModuleCache"
        return PluginModules(
            folder: folder,
            headers: wrappers.map { "\(checkout)/Sources/\($0)" },
            cache: files.isWritableFile(atPath: cache) ? cache : nil,
            swift: try version(of: module))
    }

    /// The checkout that this program was built from; `nil` if it is elsewhere.
    static func checkout() -> String? {
        // An unreadable link is like a program that is elsewhere.
        let program = try? FileManager.default.destinationOfSymbolicLink(atPath: PluginHost.path)
        return program.flatMap(checkout(of:))
    }

    private static func checkout(of program: String) -> String? {
        var folder = program.parentFolder
        while folder.count > 1 {
            let exists = wrappers.allSatisfy {
                FileManager.default.fileExists(atPath: "\(folder)/Sources/\($0)/module.modulemap")
            }
            if exists { return folder }
            folder = folder.parentFolder
        }
        return nil
    }

    private static func date(of path: String) -> Date? {
        // What can't be looked at is as good as missing.
        (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
    }

    private static func version(of module: String) throws(PluginFault) -> String {
        do {
            let data = try Data(contentsOf: URL(filePath: module), options: .mappedIfSafe)
            let text = String(decoding: data.prefix(1 << 16), as: UTF8.self)
            if let version = PluginToolchain.version(in: text) { return version }
        } catch {
            throw PluginFault("\(module) can't be read: \(error)")
        }
        throw PluginFault("\(module) does not tell which Swift it was compiled with")
    }
}

extension String {
    /// The folder of a file.
    var parentFolder: String {
        lastIndex(of: "/").map { $0 == startIndex ? "/" : String(self[..<$0]) } ?? "."
    }
}

/// Runs `swift` and `swiftc` for a package.
struct PluginToolchain {
    let source: PluginSource
    let environment: [String: String]

    init(source: PluginSource, _ environment: [String: String]) {
        self.source = source
        self.environment = environment
    }

    struct Ended {
        let status: TerminationStatus
        let output: String
        let error: String
    }

    static func version(in text: String) -> String? {
        text.firstMatch(of: /Swift version ([0-9][0-9.]*)/).map { String($0.1) }
    }

    func version() async throws(PluginFault) -> String {
        let ended = try await run("swiftc", ["--version"])
        guard let version = Self.version(in: ended.output) else {
            throw failure("'swiftc --version' does not tell a version", ended)
        }
        return version
    }

    func manifest() async throws(PluginFault) -> JSONValue {
        let ended = try await run(
            "swift", ["package", "dump-package", "--package-path", source.path])
        guard ended.status.isSuccess else { throw failure("its Package.swift is wrong", ended) }
        do {
            return try JSONValue(parsing: ended.output)
        } catch {
            throw failure("'swift package dump-package' prints no JSON: \(error)", ended)
        }
    }

    /// Compiles the targets, the last one with the entry point, and links them.
    func compile(
        _ manifest: PluginManifest, against modules: PluginModules, into library: String
    ) async throws(PluginFault) {
        let folder = library.parentFolder
        var arguments = ["-I", modules.folder, "-I", folder]
        for header in modules.headers { arguments += ["-I", header] }
        if let cache = modules.cache { arguments += ["-module-cache-path", cache] }
        var objects: [String] = []
        for (index, target) in manifest.targets.enumerated() {
            var files = target.files
            if index == manifest.targets.count - 1 {
                files.append(try writeEntryPoint(in: folder))
            }
            let object = "\(folder)/\(target.name).o"
            let ended = try await run(
                "swiftc",
                arguments + target.flags + [
                    "-emit-object", "-o", object, "-emit-module", "-emit-module-path",
                    "\(folder)/\(target.name).swiftmodule", "-module-name", target.name,
                    "-package-name", manifest.name, "-parse-as-library",
                    "-whole-module-optimization", "-O", "-g", "-D", "SWIFT_PACKAGE",
                ] + files)
            guard ended.status.isSuccess else { throw compileFailure(of: target, ended) }
            objects.append(object)
        }
        let ended = try await run(
            "swiftc", ["-emit-library", "-o", library] + objects + manifest.linkerFlags)
        guard ended.status.isSuccess else { throw failure("it can't be linked", ended) }
    }

    private func compileFailure(
        of target: PluginManifest.Target, _ ended: Ended
    ) -> PluginFault {
        let lines = ended.error.split(separator: "\n")
        let errors = lines.filter { $0.contains(": error: ") && !$0.hasPrefix(" ") }
        guard !errors.isEmpty, errors.allSatisfy({ $0.contains("/\(Self.entryFile):") }) else {
            return failure("the compiler finds errors in it", ended)
        }
        return PluginFault(
            "the plugins of '\(source.label)' can't be built: the target \(target.name) does not "
                + "declare its plugins; write 'public let plugins = PluginBundle(…)' with their "
                + "types into one of its files")
    }

    private static let entryFile = "BuildmasterEntryPoint.swift"

    private func writeEntryPoint(in folder: String) throws(PluginFault) -> String {
        let path = "\(folder)/\(Self.entryFile)"
        do {
            try Data(PluginEntryPoint.source.utf8).write(to: URL(filePath: path))
        } catch {
            throw PluginFault("\(path) can't be written: \(error)")
        }
        return path
    }

    private func failure(_ reason: String, _ ended: Ended) -> PluginFault {
        let words = ended.error + (ended.status.isSuccess ? ended.output : "")
        return PluginFault(
            "the plugins of '\(source.label)' can't be built: \(reason)"
                + (words.isEmpty ? "" : "\n\(words.trimmingLineBreaks)"))
    }

    private func run(_ tool: String, _ arguments: [String]) async throws(PluginFault) -> Ended {
        do throws(PluginFault) {
            return try await Self.run(.name(tool), arguments, environment)
        } catch {
            throw PluginFault("the plugins of '\(source.label)' can't be built: \(error)")
        }
    }

    static func run(
        _ program: Executable, _ arguments: [String], _ environment: [String: String]
    ) async throws(PluginFault) -> Ended {
        let pairs = environment.compactMap { name, value in
            Environment.Key(rawValue: name).map { ($0, value) }
        }
        do {
            let ended = try await Subprocess.run(
                program, arguments: Arguments(arguments),
                environment: .custom(Dictionary(uniqueKeysWithValues: pairs)),
                input: .none, output: .string(limit: 16 << 20), error: .string(limit: 4 << 20))
            return Ended(
                status: ended.terminationStatus, output: ended.standardOutput,
                error: ended.standardError)
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw PluginFault("Swift is not in PATH; install it, or add its folder to PATH")
        } catch {
            throw PluginFault("a program can't be run: \(error)")
        }
    }
}
