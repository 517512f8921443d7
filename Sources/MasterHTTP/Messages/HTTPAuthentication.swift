/// Credentials for a request, which take precedence over an `Authorization` header.
public enum HTTPAuthentication: Sendable, Hashable {
    /// A user and password, sent in clear text with each request.
    case basic(user: String, password: String)
    /// A user and password, sent as a digest in response to the server's challenge.
    ///
    /// The challenge costs an additional round trip; its 401 response is not a separate exchange.
    case digest(user: String, password: String)
    /// A token.
    case bearer(token: String)
}

extension HTTPAuthentication: CustomStringConvertible, CustomReflectable {
    /// The scheme, without user, password or token.
    public var description: String {
        switch self {
        case .basic: "basic"
        case .digest: "digest"
        case .bearer: "bearer"
        }
    }

    /// A mirror without children, so that dumps do not show the password.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// How server certificates are verified, and the client certificate.
public struct HTTPTLS: Sendable, Hashable {
    /// How server certificates are verified.
    public enum Verification: Sendable, Hashable {
        /// Against the system's certificate authorities.
        case on
        /// Not at all: anyone on the network path can read and change the traffic.
        case off
        /// Against the authorities in a PEM file, or in a folder prepared with `openssl rehash`.
        case authorities(path: String)
    }

    /// How server certificates are verified.
    public var verification: Verification
    /// The path of the client certificate in PEM format, which includes the key unless `key` is
    /// set.
    public var clientCertificate: String?
    /// The path of the client's private key in PEM format.
    public var key: String?

    /// Creates TLS settings, by default with the system's authorities and no client certificate.
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

    /// Encodes the UTF-8 bytes of a text.
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
