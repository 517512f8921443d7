extension Command {
    /// A program with its arguments, or a line for the shell.
    ///
    /// In JSON the one is a list of texts, the other a text.
    public enum Invocation: Sendable, Hashable {
        /// A program, by path or by a name found in `PATH`, and its arguments.
        case program([String])
        /// A line that `/bin/sh -c` runs.
        case script(String)

        /// The program and its arguments, as they are passed to the system.
        public var arguments: [String] {
            switch self {
            case .program(let arguments): arguments
            case .script(let line): ["/bin/sh", "-c", line]
            }
        }
    }
}

extension Command.Invocation: ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    /// Makes a line for the shell.
    ///
    /// - Parameter value: The line.
    public init(stringLiteral value: String) {
        self = .script(value)
    }

    /// Makes a program with arguments.
    ///
    /// - Parameter elements: The program and its arguments.
    public init(arrayLiteral elements: String...) {
        self = .program(elements)
    }
}

extension Command.Invocation: Codable {
    /// Reads a list of texts or a text.
    ///
    /// - Parameter decoder: Where to read from.
    /// - Throws: `DecodingError` when it is neither.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        do {
            self = .script(try value.decode(String.self))
        } catch DecodingError.typeMismatch {
            self = .program(try value.decode([String].self))
        }
    }

    /// Writes a list of texts or a text.
    ///
    /// - Parameter encoder: Where to write to.
    /// - Throws: `EncodingError` when the encoder cannot write a value.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .program(let arguments): try value.encode(arguments)
        case .script(let line): try value.encode(line)
        }
    }
}

extension Command.Invocation: CustomStringConvertible {
    /// The line as one would type it into a shell.
    public var description: String {
        switch self {
        case .program(let arguments): arguments.map(Self.quoted).joined(separator: " ")
        case .script(let line): line
        }
    }

    private static func quoted(_ argument: String) -> String {
        let isPlain = argument.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default:
                "@%+=:,./-_".utf8.contains(byte)
            }
        }
        if isPlain, !argument.isEmpty { return argument }
        return "'"
            + argument.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "'\"'\"'") + "'"
    }
}
