internal import ArgumentParser
internal import MasterReceiver

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
