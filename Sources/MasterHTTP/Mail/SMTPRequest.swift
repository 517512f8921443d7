/// A mail and the server that is to forward it.
public struct SMTPRequest: Sendable {
    /// How the connection is encrypted.
    public enum Security: Sendable, Hashable {
        /// Not at all.
        case none
        /// With STARTTLS, before anything but the greeting; an error if the server does not offer it.
        case startTLS
        /// With TLS from the start, as `smtps`.
        case tls
    }

    /// A user and a password.
    public struct Credentials: Sendable {
        /// The user.
        public let user: String
        /// The password.
        public let password: String

        /// Creates credentials.
        public init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    /// The name or IP address of the server.
    public var host: String
    /// The port.
    public var port: Int
    /// How the connection is encrypted.
    public var security = Security.none
    /// What to log in with; by default nothing.
    public var credentials: Credentials?
    /// How the server's certificate is checked.
    public var tls = HTTPTLS()
    /// The time limits; `connect` includes the TLS handshake.
    public var timeout = HTTPTimeout()
    /// The address of the sender.
    public var sender: String
    /// The addresses of the recipients.
    public var recipients: [String]
    /// Whether nobody gets the mail if the server refuses a recipient for now.
    public var waitsForAll = true
    /// The message with its headers; its lines end with CRLF.
    public var message: [UInt8]

    /// Creates a request.
    public init(
        host: String, port: Int, sender: String, recipients: [String], message: [UInt8]
    ) {
        self.host = host
        self.port = port
        self.sender = sender
        self.recipients = recipients
        self.message = message
    }

    /// Host and port.
    public var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The URL of the server.
    public var url: String { "\(security == .tls ? "smtps" : "smtp")://\(authority)" }

    /// Checks that libcurl can send mails.
    ///
    /// - Throws: `HTTPError` if it cannot be loaded or was built without SMTP.
    public static func checkSupport() throws(HTTPError) {
        _ = try SMTPSession()
    }

    /// Sends the mail. Cancelling the task aborts it immediately.
    ///
    /// A refusal by the server is not an error but a response.
    ///
    /// - Throws: `HTTPError` if the server did not reply.
    public func send() async throws(HTTPError) -> SMTPResponse {
        try await SMTPTransfer(self).run().get()
    }
}

/// What a mail server said to a mail.
public struct SMTPResponse: Sendable, Hashable {
    /// What a server replies to.
    public enum Step: String, Sendable, Hashable {
        /// The connection.
        case greeting
        /// The name of the client.
        case hello
        /// The wish for encryption.
        case startTLS
        /// User and password.
        case authentication
        /// The sender.
        case sender
        /// A recipient.
        case recipient
        /// The announcement of the message, and the message.
        case message
    }

    /// A reply of the server.
    public struct Reply: Sendable, Hashable {
        /// What it replies to.
        public let step: Step
        /// The code, such as 250.
        public let code: Int
        /// The text after the code, on one line.
        public let text: String
        /// The recipient, if it is about one.
        public internal(set) var recipient: String?
    }

    /// The reply that decides: the one to the message, or the refusal before.
    public let reply: Reply
    /// The refusals of recipients.
    public let refusals: [Reply]
    /// The lines sent, after `>`, and received, after `<`, without credentials and the message.
    public let transcript: [String]

    /// Whether the server took the mail, for at least one recipient.
    public var isAccepted: Bool { reply.step == .message && reply.code / 100 == 2 }
}
