import MasterKit

/// The setting `timeout` of requests: one duration, or one to connect and one between bytes.
struct TimeLimits: SettingValue {
    let connect: Duration?
    let read: Duration?

    static var shape: String { "a duration such as 30 or 5m, or [connect, read]" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> TimeLimits? {
        guard node.sequence != nil else {
            return decoder.decode(TimeLimit.self, from: node).map {
                TimeLimits(connect: $0.duration, read: $0.duration)
            }
        }
        guard let pair = decoder.pair(node, shape: shape) else { return nil }
        let connect = decoder.decode(TimeLimit?.self, from: pair.0)
        let read = decoder.decode(TimeLimit?.self, from: pair.1)
        guard let connect, let read else { return nil }
        return TimeLimits(connect: connect?.duration, read: read?.duration)
    }
}

/// A duration that is not zero.
struct TimeLimit: SettingValue {
    let duration: Duration

    static var shape: String { Duration.shape }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> TimeLimit? {
        guard let duration = Duration.decode(node, with: decoder) else { return nil }
        guard duration > .zero else {
            return decoder.error(
                "a time limit of 0 leaves no time for anything; leave it out for the default",
                at: node.range)
        }
        return TimeLimit(duration: duration)
    }
}
