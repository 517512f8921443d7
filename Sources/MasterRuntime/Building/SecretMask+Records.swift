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

    /// A logger that writes what another one does, with every secret replaced.
    func apply(to logger: Logger) -> Logger {
        guard !isEmpty else { return logger }
        var masked = logger
        masked.handler = MaskedLogHandler(base: logger.handler, mask: self)
        return masked
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
