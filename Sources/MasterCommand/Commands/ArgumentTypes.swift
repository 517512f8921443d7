internal import ArgumentParser
internal import MasterKit
internal import MasterReceiver
internal import MasterRuntime

/// A property given with `-p`: `NAME=VALUE`, or `NAME:=VALUE` for a YAML value.
struct PropertyArgument: Sendable, Hashable {
    /// The name.
    let name: String
    /// The value; for `NAME=VALUE` a string, which the file may declare to have a different type.
    let value: JSONValue
    /// Whether the user has chosen the type.
    let isTyped: Bool

    /// Parses the argument of `-p`.
    ///
    /// - Throws: `ValidationError` that describes what is wrong and how to fix it.
    init(_ argument: String) throws {
        guard let equals = argument.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            throw ValidationError(
                "-p \(argument.shortened): write NAME=VALUE, or NAME:=VALUE for a "
                    + "number, a boolean, a list or a mapping")
        }
        let isYAML = argument.utf8[..<equals].last == UInt8(ascii: ":")
        name = String(Substring(argument.utf8[..<equals].dropLast(isYAML ? 1 : 0)))
        let text = String(argument[argument.utf8.index(after: equals)...])
        isTyped = isYAML
        guard !name.isEmpty, name.count <= Properties.maximumNameLength else {
            throw ValidationError(
                "-p \(argument.shortened): the name of a property has 1 to "
                    + "\(Properties.maximumNameLength) characters")
        }
        value = isYAML ? try Self.value(ofYAML: text, for: name) : .string(text)
        do {
            try Properties.check(value, of: name)
        } catch {
            throw ValidationError("-p \(name): \(error)")
        }
    }

    static func value(ofYAML text: String, for name: String) throws -> JSONValue {
        let parsed = YAMLParser.parse(text, name: "-p \(name)")
        let decoder = SettingDecoder(registry: .empty)
        if let root = parsed.root, !parsed.hasErrors,
            let value = decoder.decode(JSONValue.self, from: root), decoder.diagnostics.isEmpty
        {
            return value
        }
        // What is only a warning in a file, such as 0123, is an error here.
        let faults = parsed.diagnostics + decoder.diagnostics
        let reason = faults.first?.message ?? "it is empty"
        let prefix = parsed.hasErrors || decoder.hasErrors ? "not a YAML value: " : ""
        throw ValidationError(
            "-p \(name):=\(text.shortened): \(prefix)\(reason); write \(name)=VALUE for a text")
    }
}

/// A duration as an argument: `30`, `30s`, `5m`, `1h30m`.
struct DurationArgument: ExpressibleByArgument, Sendable, Hashable, CustomStringConvertible {
    let duration: Duration
    /// The argument as written.
    let description: String

    init?(argument: String) {
        guard let duration = Duration(spelling: argument) else { return nil }
        self.duration = duration
        description = argument
    }

    init(seconds: Int) {
        duration = .seconds(seconds)
        description = "\(seconds)s"
    }
}

/// A build as an argument: `linux#3`, or `3` for any builder.
struct BuildArgument: ExpressibleByArgument, Sendable, Hashable {
    let builder: String?
    /// The number, or `nil` for all builds of the builder.
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

/// A state of deliveries as an argument.
struct DeliveryStateArgument: ExpressibleByArgument, CaseIterable, Sendable, Hashable {
    let state: DeliveryState

    static var allCases: [DeliveryStateArgument] {
        [.open, .parked, .dead, .delivered, .nothing].map { DeliveryStateArgument(state: $0) }
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

/// An address to listen on as an argument: `HOST:PORT`, `HOST` or `PORT`.
struct AddressArgument: ExpressibleByArgument, Sendable, Hashable, CustomStringConvertible {
    let address: ReceiverAddress

    init() { address = ReceiverAddress() }

    init?(argument: String) {
        guard let address = ReceiverAddress(argument) else { return nil }
        self.address = address
    }

    var description: String { "\(address)" }
}

/// Allows `--receiver` and `--source` without a value and `-pNAME=VALUE`, which the argument parser does not
/// support.
enum ReceiverArgument {
    private static let option = "--receiver"

    /// Returns the arguments with the default address added to `--receiver`, and an equals sign
    /// after a short option whose joined value contains one.
    ///
    /// - Throws: `ValidationError` if an address follows after a space, where it could also be the
    ///   name of a builder.
    static func completed(_ arguments: [String]) throws -> [String] {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        var completed = arguments
        for index in arguments[..<end].indices where arguments[index] == option {
            let next = index + 1 < end ? arguments[index + 1] : ""
            if next.contains(":"), ReceiverAddress(next) != nil {
                throw ValidationError(
                    "put an equals sign before the receiver's address: \(option)=\(next)")
            }
            completed[index] = "\(option)=\(ReceiverAddress())"
        }
        for index in arguments[..<end].indices where arguments[index] == "--source" {
            // A folder after it could also be the name of a builder, so that a '.' or '/' decides.
            let next = index + 1 < end ? arguments[index + 1] : ""
            if !next.hasPrefix("."), !next.contains("/") { completed[index] = "--source=." }
        }
        for index in arguments[..<end].indices {
            let (name, value) = (arguments[index].prefix(2), arguments[index].dropFirst(2))
            guard ["-c", "-f", "-p"].contains(name), value.first != "=", value.contains("=")
            else { continue }
            completed[index] = "\(name)=\(value)"
        }
        return completed
    }
}

/// The option of `run` that starts a receiver where reports are sent.
enum ReceiverSuggestion {
    private static let scheme = "http://"
    private static let hosts: Set<String> = ["127.0.0.1", "localhost", "::1"]

    /// The address in a URL if it is on this machine, or else `nil`.
    static func address(for url: String?) -> ReceiverAddress? {
        guard let url, url.hasPrefix(scheme) else { return nil }
        let place = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        let namesPort = place.reversed().prefix { $0 != "]" }.contains(":")
        guard let address = ReceiverAddress(namesPort ? String(place) : "\(place):80"),
            hosts.contains(address.host)
        else { return nil }
        return address
    }

    static func option(for address: ReceiverAddress) -> String {
        address == ReceiverAddress() ? "--receiver" : "--receiver=\(address)"
    }
}
