package import MasterKit

/// `protocols`: how workers connect.
package struct ProtocolSettings: Settings, SettingValue {
    @Setting(
        "Where buildbot-worker processes connect.", .alias("msgpack_experimental_v7"))
    package var msgpack: EndpointSettings?

    package init() {}

    package static var shape: String { "a mapping such as {msgpack: {port: 9989}}" }

    package static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> ProtocolSettings? {
        decoder.read(ProtocolSettings.self, from: node, owner: "protocols", at: node.range)
    }
}

extension ProtocolSettings: SettingHints {
    package static func hint(forUnknown name: String) -> String? {
        name == "pb"
            ? "workers connect by msgpack only; write 'msgpack', and create them with "
                + "--protocol=msgpack_experimental_v7" : nil
    }
}

/// `msgpack`: where workers connect.
package struct EndpointSettings: Settings, SettingValue, Hashable {
    @Setting("Where it listens: a port of this machine only, or HOST:PORT.", .primary)
    package var port: ListenAddress
    @Setting("The certificate of the endpoint.") package var tls: WebCertificate?

    package init() {}

    package static func == (one: Self, other: Self) -> Bool {
        one.port == other.port && one.tls == other.tls
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(port)
        hasher.combine(tls)
    }

    package static var shape: String { "a port, or a mapping such as {port: 9989}" }

    package static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> EndpointSettings? {
        decoder.read(EndpointSettings.self, from: node, owner: "msgpack", at: node.range)
    }
}

extension EndpointSettings: SettingHints {
    package static func hint(forUnknown name: String) -> String? {
        ["host", "address", "bind"].contains(name) ? "write 'port: HOST:PORT'" : nil
    }
}

/// Checks the workers of a file, and the builders that choose among them.
struct WorkerCheck {
    let decoder: SettingDecoder
    let settings: MasterSettings
    let topLevel: TopLevel

    /// The name of the worker that there is without `workers`.
    static let localName = "local"

    /// The workers, or `nil` if their declaration is wrong.
    var workers: [WorkerDeclaration]? {
        settings.workers ?? (topLevel.declares("workers") ? nil : [])
    }

    /// Checks the workers against each other and `protocols`.
    func check() {
        guard let workers else { return }
        decoder.checkUnique(workers.map { ($0.name, $0.range) }) {
            "two workers are named '\($0)'; rename one"
        }
        for worker in workers
        where worker.name.contains(where: { ":/".contains($0) || $0.isNewline }) {
            decoder.error(
                "the name of a worker can't contain ':' or '/': '\(worker.name)'", at: worker.range)
        }
        for worker in workers.filter({ $0.remote == nil }).dropFirst() {
            decoder.error(
                "the master's machine is already a worker; raise its 'max_builds' instead",
                at: worker.range)
        }
        let remote = workers.filter { $0.remote != nil }
        if let first = remote.first, settings.protocols?.msgpack == nil,
            !topLevel.declares("protocols")
        {
            decoder.error(
                "'\(first.name)' can't connect without 'protocols'; add "
                    + "'protocols: {msgpack: 9989}' at the top level", at: first.range)
        }
        if remote.isEmpty, settings.protocols?.msgpack != nil,
            !topLevel.declares("workers")
                || settings.workers != nil
        {
            decoder.warning(
                "no worker connects here; add 'workers' with a 'workers.Worker', or remove "
                    + "'protocols'", at: topLevel.key("protocols")?.range)
        }
    }

    /// The names of the workers that may build a builder, or `nil` for all of them.
    func names(for builder: BuilderSettings) -> [String]? {
        guard let workers else { return nil }
        let known = settings.workers == nil ? [Self.localName] : workers.map(\.name)
        if let names = builder.workernames {
            check(names, of: builder, among: known)
            return names
        }
        guard let tags = builder.workertags else { return nil }
        let chosen = workers.filter { Set(tags).isSubset(of: $0.options.tags) }.map(\.name)
        if chosen.isEmpty {
            decoder.error(
                "no worker has the tags \(tags.map { "'\($0)'" }.joined(separator: ", ")); correct "
                    + "'workertags', or the 'tags' of a worker",
                at: builder.$workertags.node?.range)
        }
        return chosen
    }

    private func check(_ names: [String], of builder: BuilderSettings, among known: [String]) {
        let place = builder.$workernames.node
        var items: [YAMLNode] = []
        if case .sequence(let list)? = place?.kind { items = list }
        for (index, name) in names.enumerated() where !known.contains(name) {
            let item = items.count == names.count ? items[index] : place
            decoder.error(
                "there is no worker '\(name)'; \(Suggestion.remedy(for: name, among: known))",
                at: item?.range)
        }
    }
}
