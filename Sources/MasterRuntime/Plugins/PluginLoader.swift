internal import FoundationEssentials
package import MasterKit

/// Loads the libraries of plugins that a file names in `plugins`.
///
/// Nothing is built here; a package without a library gets a warning.
package struct PluginLoader: Sendable {
    /// The plugins of a program and of the libraries that a file names.
    package struct Loaded: Sendable {
        /// The plugins.
        package var registry: Registry
        /// What could not be loaded and why.
        package var diagnostics: [Diagnostic] = []
    }

    let cache: PluginCache

    /// Creates a loader.
    ///
    /// - Parameter basedir: The base folder of the master, which has the libraries of packages.
    package init(basedir: String) {
        cache = PluginCache(basedir: basedir)
    }

    /// Loads the libraries that a file names, without reading the rest of the file.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - registry: The plugins of the program.
    /// - Returns: The plugins of both, and why a library can't be loaded.
    package func load(for path: String, registry: Registry) -> Loaded {
        load(Self.sources(of: path), registry)
    }

    /// The packages and libraries that a file names; none if the file is invalid.
    package static func sources(of path: String) -> [PluginSource] {
        // Most files name none, and need not be parsed for that.
        guard let data = FileManager.default.contents(atPath: path),
            String(decoding: data, as: UTF8.self).contains("plugins")
        else { return [] }
        return sources(
            in: YAMLParser.parse(contentsOf: path).root,
            folder: MasterConfiguration.absoluteFolder(of: path))
    }

    /// The packages and libraries that a document names; mistakes are reported elsewhere.
    static func sources(in root: YAMLNode?, folder: String) -> [PluginSource] {
        guard let node = root?.mapping?["plugins"] else { return [] }
        let decoder = SettingDecoder(folder: folder)
        guard let packages = decoder.decode(PluginPackages.self, from: node) else { return [] }
        return packages.entries.map { entry in
            PluginSource(
                name: entry.text, path: FilePaths.absolute(entry.text, in: folder),
                range: entry.range)
        }
    }

    func load(_ sources: [PluginSource], _ registry: Registry) -> Loaded {
        var loaded = Loaded(registry: registry)
        guard !sources.isEmpty else { return loaded }
        guard let host = PluginHost.current else {
            return incomplete(
                "this program has no build ID, which plugins are built for; link it "
                    + "with '-Xlinker --build-id'")
        }
        for source in sources {
            do throws(PluginFault) {
                guard let library = try library(of: source, for: host, &loaded) else { continue }
                try load(library, of: source, for: host, &loaded)
            } catch {
                loaded.diagnostics.append(.init(.error, "\(error)", range: source.range))
                loaded.registry.markIncomplete()
            }
        }
        return loaded

        func incomplete(_ message: String) -> Loaded {
            loaded.diagnostics.append(.init(.error, message, range: sources[0].range))
            loaded.registry.markIncomplete()
            return loaded
        }
    }

    /// The library of a source; `nil` with a warning if it has to be built.
    private func library(
        of source: PluginSource, for host: PluginHost, _ loaded: inout Loaded
    ) throws(PluginFault) -> String? {
        guard !source.isLibrary else {
            guard FileManager.default.fileExists(atPath: source.path) else {
                throw PluginFault("the library '\(source.label)' does not exist")
            }
            return source.path
        }
        let reason: String
        switch try cache.state(of: source, for: host) {
        case .built(let library): return library
        case .missing: reason = "are not built"
        case .outdated: reason = "have changed since they were built, or this program has"
        }
        loaded.diagnostics.append(
            .init(
                .warning,
                "the plugins of '\(source.label)' \(reason), so what uses them is not "
                    + "checked; run 'plugins build'", range: source.range))
        loaded.registry.markIncomplete()
        return nil
    }

    private func load(
        _ library: String, of source: PluginSource, for host: PluginHost, _ loaded: inout Loaded
    ) throws(PluginFault) {
        let record = try PluginRecord(ofLibrary: library)
        guard host.admits(record.host) else {
            throw PluginFault(
                "'\(source.label)' was built with Swift \(record.host.swift) for MasterKit "
                    + "\(record.host.masterKit.prefix(8)), but this program has Swift \(host.swift) "
                    + "and MasterKit \(host.masterKit.prefix(8)); build its package again with "
                    + "'plugins build'")
        }
        if let reason = SharedLibrary.reasonNotToLoad() { throw PluginFault(reason) }
        let bundle: PluginBundle
        do throws(SharedLibrary.Fault) {
            bundle = try SharedLibrary.plugins(of: library)
        } catch {
            throw PluginFault("'\(library)' \(error.reason)")
        }
        for known in loaded.registry.add(bundle, from: library) {
            loaded.diagnostics.append(
                .init(
                    .error,
                    "the plugin \(known.key) of '\(source.label)' (\(library)) is also in "
                        + "\(known.origin); give one of them another pluginName",
                    range: source.range))
        }
    }

    /// The plugins of a library that is not loaded for a file, described to find out whether that
    /// is possible.
    ///
    /// - Throws: ``PluginFault`` if it can't be loaded.
    package static func plugins(of library: String) throws(PluginFault) -> [PluginDescription] {
        if let reason = SharedLibrary.reasonNotToLoad() { throw PluginFault(reason) }
        do throws(SharedLibrary.Fault) {
            var registry = Registry.empty
            let twice = registry.add(try SharedLibrary.plugins(of: library), from: library)
            if let twice = twice.first {
                throw SharedLibrary.Fault(reason: "has two plugins \(twice.key)")
            }
            return registry.entries.map(\.description)
        } catch {
            throw PluginFault("'\(library)' \(error.reason)")
        }
    }
}

/// `plugins`: packages and libraries to load.
struct PluginPackages: SettingValue {
    private(set) var entries: [(text: String, range: SourceRange?)] = []

    static var shape: String { "the folder of a plugin package, a library, or a list of these" }
    static var form: ValueForm { .either([.text, .list(of: .text)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PluginPackages? {
        guard node.sequence != nil || node.scalarText != nil, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        var packages = PluginPackages()
        let items = node.sequence ?? [node]
        for item in items {
            guard let text = decoder.decode(String.self, from: item) else { continue }
            guard !text.isEmpty else {
                decoder.error("\(decoder.subject) must not be empty", at: item.range)
                continue
            }
            packages.entries.append((text, item.range))
        }
        return packages.entries.count == items.count ? packages : nil
    }
}
