internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// What Package.swift declares of a plugin package, as far as its library needs it.
struct PluginManifest {
    /// A target with what the compiler gets.
    struct Target {
        let name: String
        let files: [String]
        let flags: [String]
    }

    /// The name of the package.
    let name: String
    /// The targets of the library, each after those that it depends on; the last one declares the
    /// plugins.
    let targets: [Target]
    /// Arguments for the linker.
    let linkerFlags: [String]

    /// The products of Buildmaster that are part of a program.
    private static let linkedIn: Set<String> = ["MasterKit", "StandardPlugins"]

    /// Reads what `swift package dump-package` prints.
    ///
    /// - Throws: ``PluginFault`` if the package can't be built into a library.
    init(_ json: JSONValue, of source: PluginSource) throws(PluginFault) {
        var reader = Reader(json: json, source: source)
        name = json["name"]?.stringValue ?? source.title
        let libraries = (json["products"]?.arrayValue ?? []).filter {
            $0["type"]?["library"] != nil
        }
        guard let roots = libraries.first?["targets"]?.arrayValue?.compactMap(\.stringValue),
            let root = roots.first
        else {
            throw PluginFault(
                "the package '\(source.label)' has no library product; add "
                    + "'.library(name: \"\(source.title)\", targets: [\"\(source.title)\"])' to its "
                    + "products")
        }
        try reader.add(root)
        targets = reader.targets
        linkerFlags = reader.linkerFlags
    }

    /// Collects the targets that a library needs.
    private struct Reader {
        let json: JSONValue
        let source: PluginSource
        private(set) var targets: [Target] = []
        private(set) var linkerFlags: [String] = []
        private var seen: Set<String> = []

        init(json: JSONValue, source: PluginSource) {
            self.json = json
            self.source = source
        }

        mutating func add(_ name: String) throws(PluginFault) {
            guard seen.insert(name).inserted else { return }
            guard let target = target(name) else {
                throw refusal("has no target '\(name)'")
            }
            guard target["type"]?.stringValue == "regular" else {
                throw refusal(
                    "has the \(target["type"]?.stringValue ?? "unknown") target '\(name)'; a loaded "
                        + "plugin has Swift sources alone")
            }
            guard target["resources"]?.arrayValue?.isEmpty ?? true else {
                throw refusal("has resources in '\(name)', which a loaded plugin can't have")
            }
            for dependency in target["dependencies"]?.arrayValue ?? [] {
                try add(dependency, of: name)
            }
            var flags = ["-swift-version", languageMode]
            for setting in target["settings"]?.arrayValue ?? [] where isInForce(setting) {
                try add(setting, of: name, to: &flags)
            }
            targets.append(Target(name: name, files: try files(of: target, name), flags: flags))
        }

        private func target(_ name: String) -> JSONValue? {
            json["targets"]?.arrayValue?.first { $0["name"]?.stringValue == name }
        }

        private mutating func add(
            _ dependency: JSONValue, of name: String
        ) throws(PluginFault) {
            let parts = ["target", "byName", "product"].lazy.compactMap {
                dependency[$0]?.arrayValue
            }
            guard let wanted = parts.first?.first?.stringValue else { return }
            if dependency["product"] == nil, target(wanted) != nil {
                try add(wanted)
            } else if !PluginManifest.linkedIn.contains(wanted) {
                throw refusal(
                    "needs '\(wanted)' for its target '\(name)'; a loaded plugin can only use "
                        + "MasterKit, StandardPlugins and its own targets; link it into a master "
                        + "of your own, as Examples/CustomMaster does")
            }
        }

        private func refusal(_ reason: String) -> PluginFault {
            PluginFault("the package '\(source.label)' \(reason)")
        }

        private var languageMode: String {
            if let declared = json["swiftLanguageVersions"]?.arrayValue?.last?.stringValue {
                return declared
            }
            let tools = json["toolsVersion"]?["_version"]?.stringValue ?? ""
            return tools.hasPrefix("6") ? "6" : "5"
        }

        // MARK: Settings

        private func isInForce(_ setting: JSONValue) -> Bool {
            guard let condition = setting["condition"], !condition.isNull else { return true }
            let platforms = condition["platformNames"]?.arrayValue?.compactMap(\.stringValue) ?? []
            return (platforms.isEmpty || platforms.contains("linux"))
                && condition["config"]?.stringValue != "debug"
        }

        private mutating func add(
            _ setting: JSONValue, of name: String, to flags: inout [String]
        ) throws(PluginFault) {
            guard
                let (kind, value) = setting["kind"]?.objectValue?.first.map({ ($0.key, $0.value) })
            else { return }
            let first = value["_0"]?.stringValue ?? ""
            switch (setting["tool"]?.stringValue, kind) {
            case ("swift", "enableUpcomingFeature"): flags += ["-enable-upcoming-feature", first]
            case ("swift", "enableExperimentalFeature"):
                flags += ["-enable-experimental-feature", first]
            case ("swift", "define"): flags += ["-D", first]
            case ("swift", "strictMemorySafety"): flags.append("-strict-memory-safety")
            case ("swift", "swiftLanguageMode"), ("swift", "swiftLanguageVersion"):
                flags += ["-swift-version", first]
            case ("swift", "defaultIsolation"):
                flags += ["-default-isolation", first.isEmpty ? "nonisolated" : first]
            case ("swift", "treatAllWarnings"):
                flags.append(first == "error" ? "-warnings-as-errors" : "-no-warnings-as-errors")
            case ("swift", "treatWarning"):
                let level = value["_1"]?.stringValue == "error" ? "-Werror" : "-Wwarning"
                flags += [level, first]
            case ("swift", "unsafeFlags"):
                flags += value["_0"]?.arrayValue?.compactMap(\.stringValue) ?? []
            case ("linker", "linkedLibrary"): linkerFlags.append("-l\(first)")
            case ("linker", "unsafeFlags"):
                linkerFlags += value["_0"]?.arrayValue?.compactMap(\.stringValue) ?? []
            case ("c", _), ("cxx", _): break
            default:
                throw refusal(
                    "has the setting '\(kind)' in '\(name)', which a loaded plugin can't have")
            }
        }

        // MARK: Sources

        private func files(
            of target: JSONValue, _ name: String
        ) throws(PluginFault) -> [String] {
            let folder = try folder(of: target, name)
            let excluded = target["exclude"]?.arrayValue?.compactMap(\.stringValue) ?? []
            let wanted = target["sources"]?.arrayValue?.compactMap(\.stringValue)
            let found: [String]
            do {
                found = try FileManager.default.subpathsOfDirectory(atPath: folder)
            } catch {
                throw refusal("has an unreadable folder '\(folder)': \(error)")
            }
            let files = found.filter { path in
                path.hasSuffix(".swift") && !excluded.contains { path.isOrIsBelow($0) }
                    && wanted?.contains { path.isOrIsBelow($0) } ?? true
            }
            guard !files.isEmpty else {
                throw refusal("has no Swift files in '\(folder)'")
            }
            return files.sorted().map { "\(folder)/\($0)" }
        }

        private func folder(of target: JSONValue, _ name: String) throws(PluginFault) -> String {
            if let path = target["path"]?.stringValue {
                return path.hasPrefix("/") ? path : "\(source.path)/\(path)"
            }
            let candidates = ["Sources", "Source", "src", "srcs"].map {
                "\(source.path)/\($0)"
            }
            let exists = FileManager.default.fileExists(atPath:)
            if let own = candidates.map({ "\($0)/\(name)" }).first(where: exists) { return own }
            let count = (json["targets"]?.arrayValue ?? []).count {
                $0["type"]?.stringValue == "regular"
            }
            guard count == 1, let all = candidates.first(where: exists) else {
                throw refusal("has no folder Sources/\(name) for its target")
            }
            return all
        }
    }
}

extension String {
    /// Whether a path is another one or something in it.
    fileprivate func isOrIsBelow(_ other: String) -> Bool {
        let folder = other.hasSuffix("/") ? String(other.dropLast()) : other
        return self == folder || hasPrefix(folder + "/") || folder == "."
    }
}
