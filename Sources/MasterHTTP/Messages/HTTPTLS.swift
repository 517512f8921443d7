/// What is asked of a server's certificate, and which one the client shows.
public struct HTTPTLS: Sendable, Hashable {
    /// How a server's certificate is checked.
    public enum Verification: Sendable, Hashable {
        /// Against the system's authorities.
        case on
        /// Not at all: anybody on the way can read and change what is sent.
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

    /// Makes a set of demands; without arguments the system's authorities and no certificate.
    public init(
        verification: Verification = .on, clientCertificate: String? = nil, key: String? = nil
    ) {
        self.verification = verification
        self.clientCertificate = clientCertificate
        self.key = key
    }
}
