import MasterKit

/// Settings that several plugins share.
struct SampleLimits: Settings {
    @Setting("How often.", .named("max_tries"), .alias("tries")) var maxTries = 3
    @Setting("How long.") var timeout: Duration?
}

/// A mapping nested in a setting.
struct SampleRetry: Settings, SettingValue {
    @Setting("How often.") var attempts: Int
    @Setting("How long between.") var backoff = Duration.seconds(1)

    static var shape: String { "a mapping such as {attempts: 3}" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> SampleRetry? {
        let retry = decoder.read(SampleRetry.self, from: node, owner: "retry", at: node.range)
        return retry.flatMap { $0.attempts > 0 ? $0 : nil }
    }
}

enum SampleMode: String, SettingEnumeration {
    case fast
    case thorough
}

/// A step with one setting of each kind.
struct Sample: Step, SettingHints {
    static let summary = "Does nothing, with settings of all kinds."

    @Setting("Where to.", .primary) var url: Renderable<HTTPAddress>
    @Setting("Whether to verify.") var verify = true
    @Setting("How.") var mode = SampleMode.fast
    @Setting("What to send.", .alias("body")) var data: Renderable<JSONValue?>
    @Setting("Labels.", .notEmpty) var labels: [String]?
    @Setting("Who it is.", .secret) var token: Renderable<String>?
    @Setting("What to do after a failure.", .replacesOption) var retry: SampleRetry?
    @Setting("Numbers.") var counts: Renderable<[Int]> = Renderable([])
    @SettingGroup var limits: SampleLimits

    static var options: StepOptions {
        var options = StepOptions()
        options.haltOnFailure = Renderable(true)
        options.logEncoding = .latin1
        return options
    }

    func run(in context: StepContext) async throws -> Results { .success }

    func check(_ settings: SettingsCheck) {
        if url.constant?.text == "http://forbidden/" {
            settings.error("this address is forbidden", at: "url")
        }
        if settings.isGiven("labels"), !verify {
            settings.warning("'labels' has no effect without 'verify'", at: "verify")
        }
        if mode == .thorough, limits.timeout == nil {
            settings.error("'thorough' needs 'timeout'", at: "timeout")
        }
    }

    static func hint(forUnknown name: String) -> String? {
        name == "hooks" ? "hooks take code" : nil
    }
}

/// A step that does not accept a single value.
struct Plain: Step {
    static let summary = "Takes no lone value."
    static let pluginName = "Simple"

    @Setting("A number.") var count: Int
    @Setting("Another one.") var size = 1

    func run(in context: StepContext) async throws -> Results { .success }
}

/// A reporter with a setting for plugins.
struct Announcer: Reporter {
    static let summary = "Announces."

    @Setting("Where to.") var room: Renderable<String>?
    @Setting("What makes the text.", plugins: .formatters) var formatter: (any MessageFormatter)?

    func send(_ report: Report, in context: DeliveryContext) async throws {}
}

struct Finished: ReportGenerator {
    static let summary = "Reports ends."

    @Setting("Which.") var results: [Results] = [.failure]

    var wantedEvents: Set<EventKind> { [.buildFinished] }

    func generate(for event: Event, in context: ReportContext) async throws -> Report? { nil }
}

struct OneLine: MessageFormatter {
    static let summary = "One line."

    @Setting("The text.", .primary) var text: String

    func format(_ topic: ReportTopic) -> Message {
        Message(.plain(text))
    }
}

/// A plugin with two settings of the same name, both of which are primary.
struct Muddled: Step {
    static let summary = "Is declared wrongly."

    @Setting("A number.", .primary, .alias("amount")) var count = 1
    @Setting("Another one.", .primary, .named("amount")) var size = 1

    func run(in context: StepContext) async throws -> Results { .success }
}

/// A plugin with a setting whose name is reserved for all steps.
struct Grasping: Step {
    static let summary = "Is declared wrongly."

    @Setting("Its name.") var name: String?

    func run(in context: StepContext) async throws -> Results { .success }
}

extension Registry {
    /// The plugins for these tests.
    static func sample() throws -> Registry {
        try Registry(
            PluginBundle(
                Sample.self, Plain.self, Announcer.self, Finished.self, OneLine.self,
                Muddled.self, Grasping.self))
    }
}
