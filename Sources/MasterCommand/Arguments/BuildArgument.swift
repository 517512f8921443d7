internal import ArgumentParser

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
