public import MasterKit

/// Posts builds as JSON to an address, by default when they start and when they end.
public struct HttpStatusPush: Reporter, SettingHints {
    /// What the reporter does.
    public static let summary = "Posts builds as JSON to an address when they start and end."

    @Setting("The address that gets the reports.", .primary)
    var serverUrl: Renderable<HTTPAddress>

    @Setting("How the sender is proved.", .secret)
    var auth: Renderable<KnownAuth?>

    @Setting("Headers of each request; null removes one that is sent by default.")
    var headers: Renderable<HeaderFields?>

    @Setting("How long to wait to connect and for an answer; by default 10 s and 30 s in all.")
    var timeout: Renderable<TimeLimits?>

    @Setting("Whether, or against which authorities, the receiver's certificate is checked.")
    var verify: Renderable<CertificateCheck?>

    @Setting("The certificate that is shown to the receiver.")
    var cert: Renderable<ClientCertificate?>

    @Setting("Keys that sign each request as Standard Webhooks says.", .secret)
    var signing: Renderable<WebhookSigning?>

    @Setting("Log each request and its answer.")
    var debug = false

    @Setting("Changes nothing: the body is always sent as UTF-8.", .alias("skip_encoding"))
    var skipEncoding = false

    @Setting("The body of the reports, in place of the build's record; its texts are templates.")
    var format: ReportFormat?

    @SettingGroup var details: WantedDetails

    /// Makes a reporter to be configured.
    public init() {}

    /// One report when a build starts and one when it ends, whatever the result.
    public var defaultGenerators: [any ReportGenerator] { [BuildStartEndStatusGenerator()] }

    /// Makes the body that `format` describes, or else the record of the build.
    public var defaultFormatter: any MessageFormatter {
        guard let format else { return RecordFormatter(wanted: details.details) }
        return BodyFormatter(format, wanted: details.details)
    }

    /// Only bodies are posted.
    public var usesRecords: Bool { false }

    /// Notes a setting that has no effect.
    public func check(_ settings: SettingsCheck) {
        for name in ["skipEncoding", "skip_encoding"] where settings.isGiven(name) {
            settings.warning(
                "'\(name)' changes no byte of what is sent, which is always UTF-8; leave it out",
                at: name)
        }
    }

    /// What to do instead of a setting that Buildbot has had.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "format_fn": "it takes code; describe the body with 'format' instead"
        case "user", "password": "write 'auth: [user, password]'"
        case "builders", "tags", "mode":
            "write 'generators: [generators.BuildStatusGenerator: {\(name): …}]'"
        default: WantedDetails.hint(forUnknown: name)
        }
    }
}
