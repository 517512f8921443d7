import FoundationEssentials
public import MasterKit

/// Sends mails about builds.
public struct MailNotifier: Reporter, SettingHints {
    /// What the reporter does.
    public static let summary = "Sends mails about builds, by default when they end."

    @Setting(
        "The sender, such as 'CI <ci@example.org>'.", .primary,
        .example("CI <ci@example.org>"))
    var fromaddr: ReportedSetting<MailAddress>

    @Setting(
        "Who gets each mail, in addition to the interested users.",
        .example(["team@example.org"]))
    var extraRecipients: ReportedSetting<MailAddressList?>

    @Setting("Whether the users responsible for the build get the mail.")
    var sendToInterestedUsers = true

    @Setting("The domain of users without one; by default they get no mail.")
    var lookup: MailDomain?

    @Setting("The mail server that forwards the mails.")
    var relayhost: Renderable<MailHost>?

    @Setting("Its port; by default 25, or 465 with 'useSmtps'.", .within(1...65535))
    var smtpPort: Int?

    @Setting("Require STARTTLS.")
    var useTls = false

    @Setting("Use TLS from the start.")
    var useSmtps = false

    @Setting("The user to log in as.", .notEmpty)
    var smtpUser: Renderable<String>?

    @Setting("The password of the user.", .secret, .notEmpty)
    var smtpPassword: Renderable<String>?

    @Setting("The subject; by default that of the formatter.")
    var subject: ReportedSetting<String?>

    @Setting("More headers of each mail.")
    var extraHeaders: ReportedSetting<MailHeaders?>

    @Setting("How long to wait to connect and for a reply; by default 10 s and 60 s.")
    var timeout: Renderable<TimeLimits?>

    @Setting("Whether, or against which authorities, the server's certificate is checked.")
    var verify: Renderable<CertificateCheck?>

    @Setting("Log each mail and what the server says.")
    var debug = false

    /// The time limit for a whole session.
    private static let totalLimit = Duration.seconds(600)
    /// After how many attempts a recipient who is refused for now no longer delays the others.
    private static let patience = 5

    /// Creates an unconfigured reporter.
    public init() {}

    /// Builds that have ended.
    public var defaultGenerators: [any ReportGenerator] { [BuildStatusGenerator()] }
    /// A plain text.
    public var defaultFormatter: any MessageFormatter { TemplateMessageFormatter() }
    /// What the settings use.
    public var uses: ReportUses {
        fromaddr.uses.union(extraRecipients.uses).union(subject.uses).union(extraHeaders.uses)
    }

    /// Reports conflicting settings.
    public func check(_ settings: SettingsCheck) {
        if useTls, useSmtps {
            settings.error(
                "'useTls' and 'useSmtps' can't stand together; keep one", at: "useSmtps")
        }
        if (smtpUser == nil) != (smtpPassword == nil) {
            let (given, other) =
                smtpUser == nil ? ("smtpPassword", "smtpUser") : ("smtpUser", "smtpPassword")
            settings.error("'\(given)' needs '\(other)'", at: given)
        }
        if smtpPassword != nil, !useTls, !useSmtps, !isLocal {
            settings.warning(
                "the password is sent unencrypted; set 'useTls' or 'useSmtps'", at: "smtpPassword")
        }
        if !sendToInterestedUsers, !settings.isGiven("extraRecipients") {
            settings.error(
                "the mails have no recipient; set 'extraRecipients'", at: "sendToInterestedUsers")
        }
        if let place = subject.value.constant??.firstMatch(of: /%\(\w+\)s/)?.output {
            settings.warning(
                "'\(place)' is sent as it is; write a template, such as !Template "
                    + "\"{{ status_detected }}: {{ buildername }}\"", at: "subject")
        }
        if lookup != nil, !sendToInterestedUsers {
            settings.warning(
                "'lookup' has no effect with 'sendToInterestedUsers: false'; remove it",
                at: "lookup")
        }
    }

    private var isLocal: Bool {
        guard let relayhost else { return true }
        return relayhost.constant.map {
            ["localhost", "::1"].contains($0.text) || $0.text.hasPrefix("127.")
        } ?? false
    }

    /// A hint for a setting that this reporter does not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "to", "recipients": "write 'extraRecipients'"
        case "from": "write 'fromaddr'"
        case "host", "server", "url", "address", "serverUrl": "write 'relayhost'"
        case "port": "write 'smtpPort'"
        case "user", "username": "write 'smtpUser'"
        case "password": "write 'smtpPassword'"
        case "headers": "write 'extraHeaders'"
        case "mode", "builders", "tags", "categories", "addLogs", "addPatch":
            "write it at a generator: 'generators: [generators.BuildStatusGenerator: {…}]'"
        case "dumpMailsToLog": "write 'debug'"
        case "messageFormatter":
            "write 'generators: [generators.BuildStatusGenerator: {message_formatter: …}]'"
        default: nil
        }
    }

    /// Checks that libcurl can send mails.
    public func start() async throws {
        try SMTPRequest.checkSupport()
    }
}

extension MailNotifier {
    /// Nothing, as all mails go to the same server.
    ///
    /// - Throws: An error if a setting cannot be rendered for the report.
    public func origin(of report: Report, in context: DeliveryContext) throws -> String? {
        guard !uses.isEmpty else { return nil }
        _ = try context.render(fromaddr.value, for: report)
        _ = try context.render(extraRecipients.value, for: report)
        _ = try context.render(subject.value, for: report)
        _ = try context.render(extraHeaders.value, for: report)
        return nil
    }

    /// Sends a mail; its `Message-ID` is the same for each attempt.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        guard report.keeps(uses) else {
            throw DeliveryError(
                .reject,
                "the settings use something of the build that was not kept with this report; they "
                    + "were changed since it was made")
        }
        let sender = try context.render(fromaddr.value, for: report)
        let (to, cc) = try recipients(of: report, in: context)
        var mail = SMTPRequest(
            host: try context.render(relayhost)?.text ?? "localhost",
            port: smtpPort ?? (useSmtps ? 465 : 25), sender: sender.address,
            recipients: (to + cc).map(\.address), message: [])
        mail.security = useSmtps ? .tls : useTls ? .startTLS : .none
        if let user = try context.render(smtpUser), let password = try context.render(smtpPassword)
        {
            mail.credentials = .init(user: user, password: password)
        }
        mail.tls = HTTPTLS(try context.render(verify), nil) ?? HTTPTLS()
        let limits = try context.render(timeout)
        mail.timeout = HTTPTimeout(
            connect: limits?.connect ?? .seconds(10), silence: limits?.read ?? .seconds(60),
            total: Self.totalLimit)
        mail.waitsForAll = context.attempt < Self.patience
        let message = try message(report, from: sender, to: to, cc: cc, in: context)
        if debug { log(message.preview, context) }
        mail.message = message.bytes
        try await send(mail, in: context)
    }

    private func send(_ mail: SMTPRequest, in context: DeliveryContext) async throws {
        let response: SMTPResponse
        do {
            response = try await context.send(mail)
        } catch {
            try Task.checkCancellation()
            throw DeliveryError(.retry(after: nil), context.mask.apply(to: error.message))
        }
        if debug { log(response.transcript.joined(separator: "\n"), context) }
        if let error = DeliveryError(response, from: mail, in: context) { throw error }
    }

    private func log(_ text: String, _ context: DeliveryContext) {
        context.logger.info("\(context.mask.apply(to: text))")
    }

    /// The recipients: the interested users, and the others as copies.
    private func recipients(
        of report: Report, in context: DeliveryContext
    ) throws -> (to: [MailAddress], cc: [MailAddress]) {
        let extra = try context.render(extraRecipients.value, for: report)?.addresses ?? []
        let names = sendToInterestedUsers ? report.users : []
        let users = names.compactMap { address(of: $0, context) }
        var known: Set<String> = []
        let to = users.filter { known.insert($0.address.lowercased()).inserted }
        let cc = extra.filter { known.insert($0.address.lowercased()).inserted }
        guard !known.isEmpty else {
            throw DeliveryError(.nothingToSend, "the build has no user with a mail address")
        }
        return to.isEmpty ? (cc, []) : (to, cc)
    }

    /// The address of a user, or `nil` if there is none.
    private func address(of user: String, _ context: DeliveryContext) -> MailAddress? {
        let isComplete = user.contains("@")
        guard isComplete || lookup != nil else { return nil }
        do {
            return try MailAddress(isComplete ? user : "\(user)@\(lookup?.text ?? "")")
        } catch {
            let user = context.mask.apply(to: user)
            context.logger.warning("no mail to the user '\(user)': the address \(error.reason)")
            return nil
        }
    }

    private func message(
        _ report: Report, from sender: MailAddress, to: [MailAddress], cc: [MailAddress],
        in context: DeliveryContext
    ) throws -> MailMessage {
        let body: MailMessage.Part =
            switch report.body {
            case .text(let text, let type): .init(text: text, contentType: type)
            case .empty: .init(text: "", contentType: "text/plain; charset=utf-8")
            case .json:
                throw DeliveryError(
                    .reject, "a mail is a text; give the generator a formatter that makes one")
            }
        var mail = MailMessage(body: body)
        let subject = try context.render(subject.value, for: report) ?? report.subject ?? ""
        mail.headers = [
            MailHeader("From", [sender]), MailHeader("To", to),
        ]
        if !cc.isEmpty { mail.headers.append(MailHeader("Cc", cc)) }
        mail.headers += [
            MailHeader("Subject", subject), MailHeader("Date", Self.date(.now)),
            MailHeader("Message-ID", "<\(context.id)@\(sender.domain)>"),
        ]
        if let thread = Self.thread(of: report, in: context) {
            mail.headers.append(MailHeader("References", "<\(thread)@\(sender.domain)>"))
        }
        mail.headers.append(MailHeader("Auto-Submitted", "auto-generated"))
        let extra = try context.render(extraHeaders.value, for: report)?.fields ?? []
        mail.headers += extra.map { MailHeader($0.name, $0.value) }
        mail.attachments = MailAttachments.parts(of: report.logs)
        return mail
    }

    /// What the mails of one build have in common, so that they are shown together.
    private static func thread(of report: Report, in context: DeliveryContext) -> String? {
        let requests = Set(
            report.builds.compactMap { $0["buildrequest"]?["buildrequestid"]?.intValue })
        let store = context.id.split(separator: "_").dropFirst().first ?? "store"
        return requests.count == 1 ? requests.first.map { "buildrequest_\(store)_\($0)" } : nil
    }

    /// A date as mails have it: `Sun, 29 Nov 2026 02:20:33 +0000`.
    static func date(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents(
            [.weekday, .day, .month, .year, .hour, .minute, .second], from: date)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        func two(_ number: Int?) -> String { String("0\(number ?? 0)".suffix(2)) }
        let time = [parts.hour, parts.minute, parts.second].map(two).joined(separator: ":")
        return "\(days[(parts.weekday ?? 1) - 1]), \(parts.day ?? 1) "
            + "\(months[(parts.month ?? 1) - 1]) \(parts.year ?? 1970) \(time) +0000"
    }
}

extension DeliveryError {
    /// Creates the error for what a mail server said, or returns `nil` if everybody gets the mail.
    ///
    /// Refusals of the sender, of a recipient or of the message with a code of the 500s are final;
    /// whatever concerns the session, such as the password, is retried.
    fileprivate init?(
        _ response: SMTPResponse, from mail: SMTPRequest, in context: DeliveryContext
    ) {
        guard !response.isAccepted || !response.refusals.isEmpty else { return nil }
        let reply = response.isAccepted ? response.refusals[0] : response.reply
        let quote = "\(reply.code) \(reply.text.prefix(300))"
        let name = mail.authority
        let reason: String
        var isFinal = reply.code >= 500 && reply.code != 530
        switch reply.step {
        case .recipient:
            let others = response.refusals.count - 1
            let more = others == 0 ? "" : " and \(others) more"
            let count = mail.recipients.count
            let sent = "sent to \(count - others - 1) of \(count) recipients, but "
            let whole = response.isAccepted ? sent : ""
            reason =
                "\(whole)\(name) refused the recipient \(reply.recipient ?? "")\(more): \(quote)"
            if response.isAccepted { isFinal = true }
        case .sender: reason = "\(name) refused the sender \(mail.sender): \(quote)"
        case .message: reason = "\(name) refused the mail: \(quote)"
        case .authentication:
            reason =
                "\(name) refused user and password: \(quote); check 'smtpUser' and "
                + "'smtpPassword'"
            isFinal = false
        case .startTLS:
            reason = "\(name) refused STARTTLS: \(quote)"
            isFinal = false
        case .greeting, .hello:
            reason = "\(name) refused the connection: \(quote)"
            isFinal = false
        }
        self.init(
            isFinal ? .reject : .retry(after: nil), context.mask.apply(to: reason),
            status: reply.code, responseText: context.mask.apply(to: reply.text))
    }
}

/// The logs of a report as attachments.
private enum MailAttachments {
    /// The maximum number of bytes of a log, and of all logs together.
    private static let logLimit = 1 << 20
    private static let totalLimit = 5 << 20

    static func parts(of logs: [JSONValue]) -> [MailMessage.Part] {
        var rest = totalLimit
        return logs.compactMap { log in
            guard let content = log["content"]?["content"]?.stringValue else { return nil }
            let isStream = log["type"]?.stringValue == "s"
            let text = isStream ? output(content) : content
            let shown = end(of: text, min(logLimit, rest))
            rest -= shown.utf8.count
            let names = [log["stepname"], log["name"]].compactMap { $0?.stringValue }
            let name = String(
                names.joined(separator: ".").map {
                    $0 == "/" || $0 == "\\" || $0.isNewline ? "-" : $0
                })
            let isHTML = log["type"]?.stringValue == "h"
            return MailMessage.Part(
                text: shown,
                contentType: isHTML ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
                fileName: "\(name).\(isHTML ? "html" : "log")")
        }
    }

    /// The lines of a stream without the letters of their channels, and without the master's own.
    private static func output(_ content: String) -> String {
        // A carriage return and a line feed are one character.
        content.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { $0.first != "h" }.map { String($0.dropFirst()) }.joined(separator: "\n")
    }

    /// The last whole lines that fit.
    private static func end(of text: String, _ limit: Int) -> String {
        let left = text.utf8.count - limit
        guard left > 0 else { return text }
        let tail = String(decoding: Array(text.utf8.suffix(max(0, limit))), as: UTF8.self)
        let lines = tail.firstIndex(where: \.isNewline).map { tail[tail.index(after: $0)...] }
        return "(the first \(text.utf8.count - (lines?.utf8.count ?? 0)) bytes are omitted)\n"
            + (lines ?? "")
    }
}
