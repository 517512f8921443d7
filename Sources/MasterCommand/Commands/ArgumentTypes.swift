internal import ArgumentParser
internal import MasterKit
internal import MasterReceiver
internal import MasterRuntime

/// A property as `-p` gives it: `NAME=VALUE` for a text, `NAME:=VALUE` for a YAML value.
struct PropertyArgument: Sendable, Hashable {
    /// The name.
    let name: String
    /// The value.
    let value: JSONValue

    /// Reads what stands after `-p`.
    ///
    /// - Throws: `ValidationError` with what is wrong and how it is written.
    init(_ argument: String) throws {
        guard let equals = argument.firstIndex(of: "=") else {
            throw ValidationError(
                "-p \(argument): a property is given as NAME=VALUE, or as NAME:=VALUE for a "
                    + "number, a boolean, a list or a mapping")
        }
        let isYAML = argument[..<equals].last == ":"
        name = String(argument[..<equals].dropLast(isYAML ? 1 : 0))
        let text = String(argument[argument.index(after: equals)...])
        guard !name.isEmpty, name.count <= Properties.maximumNameLength else {
            throw ValidationError(
                "-p \(argument): the name of a property has 1 to \(Properties.maximumNameLength) "
                    + "characters")
        }
        value = isYAML ? try Self.value(ofYAML: text, for: name) : .string(text)
    }

    private static func value(ofYAML text: String, for name: String) throws -> JSONValue {
        let parsed = YAMLParser.parse(text, name: "-p \(name)")
        let decoder = SettingDecoder(registry: .empty)
        if let root = parsed.root, !parsed.hasErrors,
            let value = decoder.decode(JSONValue.self, from: root), !decoder.hasErrors
        {
            return value
        }
        let faults = (parsed.diagnostics + decoder.diagnostics).filter { $0.severity == .error }
        let reason = faults.first?.message ?? "there is none"
        throw ValidationError(
            "-p \(name):=\(text): this is no YAML value: \(reason); write NAME=VALUE for a text")
    }
}

/// A duration as options take it: `30`, `30s`, `5m`, `1h30m`.
struct DurationArgument: ExpressibleByArgument, Sendable, Hashable, CustomStringConvertible {
    /// The duration.
    let duration: Duration
    /// How it was written.
    let description: String

    init?(argument: String) {
        guard let duration = Duration(spelling: argument) else { return nil }
        self.duration = duration
        description = argument
    }

    /// A whole number of seconds.
    init(seconds: Int) {
        duration = .seconds(seconds)
        description = "\(seconds)s"
    }
}

/// A build as an option takes it: `linux#3`, or `3` for those of any builder.
struct BuildArgument: ExpressibleByArgument, Sendable, Hashable {
    /// The builder.
    let builder: String?
    /// The number, `nil` for every build of the builder.
    let number: Int?

    init?(argument: String) {
        let parts = argument.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            guard let number = Int(argument), number > 0 else { return nil }
            (builder, self.number) = (nil, number)
            return
        }
        guard let number = Int(parts[1]), number > 0, !parts[0].isEmpty else { return nil }
        (builder, self.number) = (String(parts[0]), number)
    }
}

/// A state of deliveries as an option takes it.
struct DeliveryStateArgument: ExpressibleByArgument, CaseIterable, Sendable, Hashable {
    /// The state.
    let state: DeliveryState

    static var allCases: [DeliveryStateArgument] {
        [.open, .parked, .dead, .delivered].map { DeliveryStateArgument(state: $0) }
    }

    static var allValueStrings: [String] { allCases.map(\.state.rawValue) }

    private init(state: DeliveryState) { self.state = state }

    init?(argument: String) {
        guard let found = Self.allCases.first(where: { $0.state.rawValue == argument }) else {
            return nil
        }
        self = found
    }
}

/// Where to listen, as options take it: `HOST:PORT`, or one of the two.
struct AddressArgument: ExpressibleByArgument, Sendable, Hashable, CustomStringConvertible {
    let address: ReceiverAddress

    init() { address = ReceiverAddress() }

    init?(argument: String) {
        guard let address = ReceiverAddress(argument) else { return nil }
        self.address = address
    }

    var description: String { "\(address)" }
}

/// Lets `--receiver` stand alone, which the parser of arguments does not know.
enum ReceiverArgument {
    private static let option = "--receiver"

    /// The arguments with `--receiver` completed by the default address.
    ///
    /// - Throws: `ValidationError` when an address follows after a space, where the name of a
    ///   builder may stand too.
    static func completed(_ arguments: [String]) throws -> [String] {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        var completed = arguments
        for index in arguments[..<end].indices where arguments[index] == option {
            let next = index + 1 < end ? arguments[index + 1] : ""
            if next.contains(":"), ReceiverAddress(next) != nil {
                throw ValidationError(
                    "the address of the receiver follows an equals sign: \(option)=\(next)")
            }
            completed[index] = "\(option)=\(ReceiverAddress())"
        }
        return completed
    }
}

/// Which option of `run` puts a receiver where reports are sent to.
enum ReceiverSuggestion {
    private static let scheme = "http://"
    private static let hosts: Set<String> = ["127.0.0.1", "localhost", "::1"]

    /// The address that a URL leads to, when it is one of this machine; else `nil`.
    static func address(for url: String?) -> ReceiverAddress? {
        guard let url, url.hasPrefix(scheme) else { return nil }
        let place = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        let namesPort = place.reversed().prefix { $0 != "]" }.contains(":")
        guard let address = ReceiverAddress(namesPort ? String(place) : "\(place):80"),
            hosts.contains(address.host)
        else { return nil }
        return address
    }

    /// The option for an address.
    static func option(for address: ReceiverAddress) -> String {
        address == ReceiverAddress() ? "--receiver" : "--receiver=\(address)"
    }
}
