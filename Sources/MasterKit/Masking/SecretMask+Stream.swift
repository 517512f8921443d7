extension SecretMask {
    /// Masks output that comes in pieces, also where a secret is divided between them.
    ///
    /// What may be the beginning of a secret is held back until the next piece, or the end, shows
    /// whether it is one: never more than the longest form of a secret.
    public struct Stream: Sendable {
        private let secrets: SecretMask
        /// What is looked for; the mask may learn more between two pieces.
        private var patterns: SecretPatterns
        private var held: [UInt8] = []
        /// How many of the held bytes belong to a secret that has been replaced already.
        private var coveredCount = 0
        /// What was written for the secret that was replaced last.
        private var lastReplacement: [UInt8]?

        init(_ secrets: SecretMask) {
            self.secrets = secrets
            patterns = secrets.patterns
        }

        /// Takes the next piece, and returns what can be written of it and what was held before.
        public mutating func process(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            patterns = secrets.patterns
            guard !patterns.isEmpty else { return Array(bytes) }
            held += bytes
            return mask(isFinal: false)
        }

        /// Returns what was held back; the stream may be used again.
        public mutating func finish() -> [UInt8] {
            patterns = secrets.patterns
            return mask(isFinal: true)
        }

        private mutating func mask(isFinal: Bool) -> [UInt8] {
            let buffer = held
            held = []
            var output: [UInt8] = []
            output.reserveCapacity(buffer.count)
            var index = 0
            var end = coveredCount  // of what belongs to secrets replaced so far
            while let candidate = patterns.nextCandidate(in: buffer, from: index) {
                switch patterns.match(in: buffer, at: candidate, isFinal: isFinal) {
                case .none: break
                case .incomplete:
                    if candidate > end { output += buffer[end..<candidate] }
                    coveredCount = max(0, end - candidate)
                    held = Array(buffer[candidate...])
                    return output
                case .found(let secret, let count):
                    replace(secret, candidate..<candidate + count, of: buffer, &end, &output)
                }
                index = candidate + 1
            }
            output += buffer[end...]
            coveredCount = 0
            return output
        }

        /// Writes what stands before a secret, and its replacement; `end` moves behind it.
        private mutating func replace(
            _ secret: Int,
            _ range: Range<Int>,
            of buffer: [UInt8],
            _ end: inout Int,
            _ output: inout [UInt8]
        ) {
            guard range.upperBound > end else { return }
            let overlaps = range.lowerBound < end
            if !overlaps { output += buffer[end..<range.lowerBound] }
            let replacement = patterns.replacements[secret]
            if !overlaps || replacement != lastReplacement { output += replacement }
            lastReplacement = replacement
            end = range.upperBound
        }
    }
}
