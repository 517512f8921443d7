import MasterKit

/// What a program says about its failure on its standard error.
struct ProgramComplaint {
    /// The most bytes of it that are looked at.
    private static let limit = 64 << 10
    /// The most characters that are shown.
    private static let shownCount = 1_000

    private var bytes: [UInt8] = []

    /// Adds what the program wrote.
    mutating func append(_ more: [UInt8]) {
        bytes += more.prefix(Self.limit - bytes.count)
    }

    /// The complaint as the end of a sentence, without what the program printed as the secret.
    ///
    /// Only whole lines are shown: a part of a secret would not be recognised by any mask.
    func words(hiding printed: SecretText) -> String {
        let mask = SecretMask([("output", String(decoding: printed.bytes, as: UTF8.self))])
        var words = ""
        for line in mask.apply(to: String(decoding: bytes, as: UTF8.self)).split(separator: "\n") {
            guard words.count + line.count < Self.shownCount else { break }
            words += " " + line
        }
        return words.isEmpty ? "" : "; it says:" + words
    }
}
