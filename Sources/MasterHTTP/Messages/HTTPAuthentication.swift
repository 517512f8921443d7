/// Credentials for a request; they win over an `Authorization` header.
public enum HTTPAuthentication: Sendable, Hashable {
    /// A user and a password, sent in clear text with each request.
    case basic(user: String, password: String)
    /// A user and a password, sent as a digest of the server's challenge.
    ///
    /// The challenge costs another round trip; its 401 is not an exchange of its own.
    case digest(user: String, password: String)
    /// A token.
    case bearer(token: String)
}

extension HTTPAuthentication: CustomStringConvertible, CustomReflectable {
    /// The scheme; user, password and token are never part of it.
    public var description: String {
        switch self {
        case .basic: "basic"
        case .digest: "digest"
        case .bearer: "bearer"
        }
    }

    /// A mirror without children, so that a dump shows no password.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// How a server's certificate is checked, and the client's own certificate.
public struct HTTPTLS: Sendable, Hashable {
    /// How a server's certificate is checked.
    public enum Verification: Sendable, Hashable {
        /// Against the system's authorities.
        case on
        /// Not at all: anyone in between can read and change what is sent.
        case off
        /// Against the authorities in a PEM file, or in a folder prepared by `openssl rehash`.
        case authorities(path: String)
    }

    /// How the server's certificate is checked.
    public var verification: Verification
    /// The path of the client's certificate, PEM, with its key unless `key` is given.
    public var clientCertificate: String?
    /// The path of the client's private key, PEM.
    public var key: String?

    /// Without arguments: the system's authorities and no client certificate.
    public init(
        verification: Verification = .on, clientCertificate: String? = nil, key: String? = nil
    ) {
        self.verification = verification
        self.clientCertificate = clientCertificate
        self.key = key
    }
}

/// Base64 with padding, for `Authorization: Basic`.
enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The UTF-8 bytes of the text in Base64.
    static func encode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var encoded: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(0) { $0 << 8 | Int($1) }
            bits <<= 8 * (3 - group.count)
            for index in 0..<4 {
                let letter = alphabet[bits >> (18 - 6 * index) & 63]
                encoded.append(index <= group.count ? letter : UInt8(ascii: "="))
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
