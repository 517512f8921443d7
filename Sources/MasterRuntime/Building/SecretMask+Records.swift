internal import MasterKit

extension SecretMask {
    /// The properties with every secret replaced in their names, values and sources.
    func apply(to properties: Properties) -> Properties {
        guard !isEmpty else { return properties }
        return properties.entries.reduce(into: Properties()) { masked, entry in
            masked.set(
                apply(to: entry.key), apply(to: entry.value.value),
                source: apply(to: entry.value.source))
        }
    }

    /// The wish for builds as it is stored: with every secret replaced in its texts.
    func apply(to wanted: BuildsetRequest) -> BuildsetRequest {
        guard !isEmpty else { return wanted }
        var masked = wanted
        masked.reason = apply(to: wanted.reason)
        masked.properties = apply(to: wanted.properties)
        masked.sourceStamps = wanted.sourceStamps.map { stamp in
            var masked = stamp
            masked.branch = stamp.branch.map { apply(to: $0) }
            masked.revision = stamp.revision.map { apply(to: $0) }
            masked.repository = apply(to: stamp.repository)
            masked.project = apply(to: stamp.project)
            masked.codebase = apply(to: stamp.codebase)
            return masked
        }
        return masked
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
