internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime
internal import Subprocess
internal import SystemPackage

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
        let program: String
        do {
            program = try FileManager.default.destinationOfSymbolicLink(atPath: PluginHost.path)
        } catch {
            throw PluginFault("this program can't find itself, to compile plugins for it: \(error)")
        }
        if let modules = try ofRelease(program) { return modules }
        if let modules = try ofBuildFolder(program) { return modules }
        throw PluginFault(
            "\(program) can't build plugins, because the modules of Buildmaster are not beside it; "
                + "run the program in an unpacked release or in the build folder of a checkout, or "
                + "name a library that 'plugins build' made there")
    }

    /// Those of an unpacked release: `bin` has the program, and `lib/buildmaster` the modules.
    private static func ofRelease(_ program: String) throws(PluginFault) -> PluginModules? {
        let release = "\(program.parentFolder.parentFolder)/lib/buildmaster"
        let folder = "\(release)/Modules"
        let module = "\(folder)/MasterKit.swiftmodule"
        guard FileManager.default.fileExists(atPath: module) else { return nil }
        // The headers of the libraries are there, too.
        let headers = ["\(release)/include"] + wrappers.map { "\(release)/include/\($0)" }
        return PluginModules(
            folder: folder, headers: headers, cache: nil, swift: try version(of: module))
    }

    private static func ofBuildFolder(_ program: String) throws(PluginFault) -> PluginModules? {
        let build = program.parentFolder
        let folder = "\(build)/Modules"
        let module = "\(folder)/MasterKit.swiftmodule"
        guard FileManager.default.fileExists(atPath: module),
            let checkout = checkout(of: program)
        else { return nil }
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
            cache: FileManager.default.isWritableFile(atPath: cache) ? cache : nil,
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

extension String {
    /// The text without line breaks at its end.
    var trimmingLineBreaks: String {
        String(self[..<(lastIndex { !$0.isNewline }.map { index(after: $0) } ?? startIndex)])
    }
}
