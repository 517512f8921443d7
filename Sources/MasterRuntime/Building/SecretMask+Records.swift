internal import MasterKit

extension SecretMask {
    /// Replaces every secret in the properties' names, values and sources.
    private func apply(to properties: Properties) -> Properties {
        guard !isEmpty else { return properties }
        return properties.entries.reduce(into: Properties()) { masked, entry in
            masked.set(
                apply(to: entry.key), apply(to: entry.value.value),
                source: apply(to: entry.value.source))
        }
    }

    /// Masks properties for storage.
    func masked(_ properties: Properties) -> Masked<Properties> {
        Masked(by: self) { $0.apply(to: properties) }
    }

    /// Masks the texts and the source stamps of a buildset for storage.
    func masked(_ buildset: Buildset) -> Masked<Buildset> {
        Masked(by: self) { mask in
            guard !isEmpty else { return buildset }
            var masked = buildset
            masked.reason = mask.apply(to: buildset.reason)
            masked.parentRelationship = buildset.parentRelationship.map { mask.apply(to: $0) }
            masked.sourceStamps = buildset.sourceStamps.map { mask.apply(to: $0) }
            return masked
        }
    }

    private func apply(to stamp: SourceStamp) -> SourceStamp {
        var masked = stamp
        masked.branch = stamp.branch.map { apply(to: $0) }
        masked.revision = stamp.revision.map { apply(to: $0) }
        masked.repository = apply(to: stamp.repository)
        masked.project = apply(to: stamp.project)
        masked.codebase = apply(to: stamp.codebase)
        return masked
    }

    /// Masks the texts, the properties and the source stamp of a change for storage.
    func masked(_ change: Change) -> Masked<Change> {
        Masked(by: self) { mask in
            guard !isEmpty else { return change }
            var masked = change
            masked.sourceStamp = mask.apply(to: change.sourceStamp)
            masked.author = mask.apply(to: change.author)
            masked.committer = change.committer.map { mask.apply(to: $0) }
            masked.comments = mask.apply(to: change.comments)
            masked.files = change.files.map { mask.apply(to: $0) }
            masked.revlink = change.revlink.map { mask.apply(to: $0) }
            masked.category = change.category.map { mask.apply(to: $0) }
            masked.properties = JSONObject()
            for (name, value) in change.properties {
                masked.properties[mask.apply(to: name)] = mask.apply(to: value)
            }
            return masked
        }
    }

    /// Masks the state text of a step or build for storage: one line of at most 200 characters, and
    /// a suffix of the master's own.
    func masked(state text: String, _ suffix: String = "") -> Masked<String> {
        Masked(by: self) { $0.apply(to: text).stateText + suffix }
    }

    /// Wraps a logger so that every secret is replaced in its output.
    func apply(to logger: Logger) -> Logger {
        var masked = logger
        masked.handler = MaskedLogHandler(base: logger.handler, mask: self)
        return masked
    }
}

extension String {
    private static let longestStateText = 200

    /// The text on one line, at most 200 characters.
    var stateText: String {
        let start = prefix(Self.longestStateText + 1)
        let isWhole = start.count <= Self.longestStateText
        let text = isWhole ? String(start) : start.prefix(Self.longestStateText - 1) + "…"
        guard text.contains(where: \.isNewline) else { return text }
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

extension SourceStamp {
    /// The stamp with the id of its row.
    func stored(as id: Int) -> SourceStamp {
        var stamp = self
        stamp.id = id
        return stamp
    }
}

/// Replaces secrets in messages before they reach another handler.
private struct MaskedLogHandler: LogHandler {
    var base: any LogHandler
    let mask: SecretMask

    var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        var event = event
        let error = event.error.map { ": \($0)" } ?? ""
        event.message = "\(mask.apply(to: event.message.description + error))"
        event.error = nil
        event.metadata = event.metadata?.mapValues { "\(mask.apply(to: $0.description))" }
        base.log(event: event)
    }
}
