extension Set<String> {
    /// A name for addresses and files that no other log of the step has; it is added to the set.
    mutating func uniqueSlug(for name: String) -> String {
        let plain = String(
            name.unicodeScalars.prefix(45).map { scalar -> Character in
                let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.isDigit)
                return isPlain || scalar == "-" ? Character(scalar) : "_"
            })
        var slug = plain.isEmpty ? "log" : plain
        var count = 1
        while !insert(slug).inserted {
            count += 1
            slug = "\(plain)_\(count)"
        }
        return slug
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}
