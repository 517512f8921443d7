internal import MasterKit

extension SecretMask {
    /// The properties with every secret replaced in their names, values and sources.
    private func apply(to properties: Properties) -> Properties {
        guard !isEmpty else { return properties }
        return properties.entries.reduce(into: Properties()) { masked, entry in
            masked.set(
                apply(to: entry.key), apply(to: entry.value.value),
                source: apply(to: entry.value.source))
        }
    }

    /// The properties with every secret replaced, as they may be stored.
    func masked(_ properties: Properties) -> Masked<Properties> {
        Masked(by: self) { $0.apply(to: properties) }
    }

    /// The buildset with every secret replaced in its reason and its source stamps.
    func masked(_ buildset: Buildset) -> Masked<Buildset> {
        Masked(by: self) { mask in
            guard !isEmpty else { return buildset }
            var masked = buildset
            masked.reason = mask.apply(to: buildset.reason)
            masked.sourceStamps = buildset.sourceStamps.map { stamp in
                var masked = stamp
                masked.branch = stamp.branch.map { mask.apply(to: $0) }
                masked.revision = stamp.revision.map { mask.apply(to: $0) }
                masked.repository = mask.apply(to: stamp.repository)
                masked.project = mask.apply(to: stamp.project)
                masked.codebase = mask.apply(to: stamp.codebase)
                return masked
            }
            return masked
        }
    }

    /// A logger that writes what another one does, with every secret replaced.
    func apply(to logger: Logger) -> Logger {
        var masked = logger
        masked.handler = MaskedLogHandler(base: logger.handler, mask: self)
        return masked
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

/// Replaces secrets in messages before another handler gets them.
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
