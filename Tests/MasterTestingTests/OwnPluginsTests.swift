import FoundationEssentials
import MasterKit
import MasterRuntimeTesting
import StandardPlugins
import Testing

@testable import CustomMaster

/// The plugins of this package keep what plugins promise.
@Suite(.timeLimit(.minutes(5)))
struct OwnPluginsTests {
    typealias Check = @Sendable () async throws -> Void

    private static let registry: Registry = {
        do {
            return try Registry(standardPlugins)
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    private static let checks: [String: Check] = formatters.merging(generators) { $1 }
        .merging(commands) { $1 }.merging(files) { $1 }.merging(requests) { $1 }
        .merging(others) { $1 }.merging(schedulers) { $1 }.merging(changeSources) { $1 }

    @Test func `every standard plugin has a contract, but those configured by code alone`() {
        let namespaces: Set<PluginNamespace> = [
            "changes", "factories", "formatters", "generators", "reporters", "schedulers",
            "secrets",
            "services", "steps",
        ]
        let keys = Self.registry.entries.map(\.key).filter { namespaces.contains($0.namespace) }
            .map { "\($0)" }
        #expect(
            Set(keys).subtracting(Self.checks.keys) == [
                "formatters.MessageFormatterFunction", "formatters.MessageFormatterFunctionRaw",
            ])
    }

    @Test(arguments: checks.keys.sorted())
    func `a plugin keeps its promises`(_ key: String) async throws {
        let check = try #require(Self.checks[key])
        try await check()
    }

    // MARK: Reports

    private static let formatters: [String: Check] = [
        "formatters.MessageFormatter": {
            try await PluginContract(TemplateMessageFormatter.self, "{{ buildername }}").verify()
        },
        "formatters.MessageFormatterEmpty": {
            try await PluginContract(MessageFormatterEmpty.self).verify()
        },
        "formatters.MessageFormatterRenderable": {
            try await PluginContract(MessageFormatterRenderable.self, "text").verify()
        },
        "formatters.StepTimes": { try await PluginContract(StepTimes.self).verify() },
        "factories.CMake": { try await PluginContract(CMake.self).verify() },
        "factories.Python": { try await PluginContract(Python.self).verify() },
        "factories.SwiftPackage": { try await PluginContract(SwiftPackage.self).verify() },
        "reporters.HttpStatusPush": {
            try await ReporterContract(
                HttpStatusPush.self,
                secrets: { _ in ["key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] }
            ) { url in
                [
                    "serverUrl": .interpolate("\(url)/%(secret:path)s"),
                    "auth": ["bearer": .secret("token")], "signing": .secret("key"),
                    "debug": true,
                ]
            }.verify()
        },
        "reporters.BitbucketServerStatusPush": {
            try await ReporterContract(BitbucketServerStatusPush.self) { url in
                ["auth": ["bearer": .secret("token")], "baseURL": .string(url)]
            }.verify()
        },
        "reporters.BitbucketStatusPush": {
            try await ReporterContract(BitbucketStatusPush.self) { url in
                ["auth": ["bearer": .secret("token")], "baseURL": .string(url)]
            }.verify()
        },
        "reporters.CloudEvents": {
            try await ReporterContract(CloudEvents.self) { url in
                ["serverUrl": .interpolate("\(url)/%(secret:path)s"), "debug": true]
            }.verify()
        },
        "reporters.GitHubStatusPush": {
            try await ReporterContract(GitHubStatusPush.self) { url in
                ["token": .secret("token"), "baseURL": .string(url), "debug": true]
            }.verify()
        },
        "reporters.GitLabStatusPush": {
            try await ReporterContract(GitLabStatusPush.self) { url in
                ["token": .secret("token"), "baseURL": .string(url), "debug": true]
            }.verify()
        },
        "reporters.GiteaStatusPush": {
            try await ReporterContract(GiteaStatusPush.self) { url in
                ["token": .secret("token"), "baseURL": .string(url), "debug": true]
            }.verify()
        },
        "reporters.MailNotifier": {
            try await withLoopbackMailServer(extensions: ["AUTH PLAIN"]) { server in
                try await ReporterContract(
                    MailNotifier.self,
                    [
                        "fromaddr": "ci@example.org", "extraRecipients": "ann@example.org",
                        "relayhost": "127.0.0.1", "smtpPort": .int(server.port),
                        "smtpUser": "ci", "smtpPassword": .secret("password"), "debug": true,
                    ]
                ).verify()
                #expect(!server.mails.isEmpty)
            }
        },
        "reporters.ChatRoom": {
            try await ReporterContract(ChatRoom.self) { url in
                ["url": .interpolate("\(url)/%(secret:path)s")]
            }.verify()
        },
        "services.Chain": {
            try await ServiceContract(
                Chain.self, ["after": "a", "builderNames": ["b"]],
                events: (1...2).map { RecordedBuild(number: $0, builder: "a").finished }
            ).verify()
        },
    ]

    private static let generators: [String: Check] = [
        "generators.BuildRequestGenerator": {
            try await GeneratorContract(BuildRequestGenerator.self).verify()
        },
        "generators.BuildSetCombinedStatusGenerator": {
            try await GeneratorContract(BuildSetCombinedStatusGenerator.self).verify()
        },
        "generators.BuildSetStatusGenerator": {
            try await GeneratorContract(BuildSetStatusGenerator.self, ["mode": "all"]).verify()
        },
        "generators.BuildStartEndStatusGenerator": {
            try await GeneratorContract(BuildStartEndStatusGenerator.self).verify()
        },
        "generators.BuildStatusGenerator": {
            try await GeneratorContract(BuildStatusGenerator.self, ["mode": "problem"]).verify()
        },
        "generators.StepStatusGenerator": {
            try await GeneratorContract(StepStatusGenerator.self).verify()
        },
        "generators.PropertyGenerator": {
            try await GeneratorContract(
                PropertyGenerator.self, ["property": "release"],
                samples: [RecordedBuild(properties: ["release": "1.0"])]
            ).verify()
        },
    ]

    // MARK: Steps

    /// Runs the contract of a step whose runs each have a folder of their own.
    private static func verify<S: Step>(
        _ type: S.Type, _ settings: SettingLiteral, expecting results: Results = .success,
        files: [String: String] = [:]
    ) async throws {
        try await withTemporaryFolder { parent in
            try await StepContract(type, settings, expecting: results) {
                let folder = try parent.makeFolder()
                for (name, text) in files { try folder.write(text, to: name, permissions: 0o755) }
                try folder.write("", to: "work/.keep")
                return try StepHarness(
                    properties: ["branch": "main"], worker: folder.localWorker,
                    workdir: "\(folder.path)/work", masterFolder: folder.path)
            }.verify()
        }
    }

    private static let token: SettingLiteral = .secret("token")

    private static let commands: [String: Check] = [
        "steps.BackgroundCommand": {
            try await verify(
                BackgroundCommand.self,
                [
                    "command": ["sh", "-c", "echo $0; echo ready; sleep 60", token],
                    "ready": ["log": "ready"],
                ])
        },
        "steps.Compile": {
            try await verify(
                Compile.self, ["command": ["sh", "-c", "echo a.c:1: warning: $0", token]],
                expecting: .warnings)
        },
        "steps.Configure": {
            try await verify(
                Configure.self, [:], files: ["work/configure": "#!/bin/sh\necho configured\n"])
        },
        "steps.MasterShellCommand": {
            try await verify(MasterShellCommand.self, ["command": ["echo", token]])
        },
        "steps.SetPropertyFromCommand": {
            try await verify(
                SetPropertyFromCommand.self, ["command": ["echo", token], "property": "p"])
        },
        "steps.SetPropertiesFromJSON": {
            try await verify(
                SetPropertiesFromJSON.self, ["command": ["echo", "{\"a\": 1}"]])
        },
        "steps.ShellCommand": {
            try await verify(ShellCommand.self, ["command": ["echo", token]])
        },
        "steps.ShellSequence": {
            try await verify(ShellSequence.self, ["commands": [["echo", token], "true"]])
        },
        "steps.Test": {
            try await verify(Test.self, ["command": ["echo", token]])
        },
    ]

    private static let files: [String: Check] = [
        "steps.CopyDirectory": {
            try await verify(
                CopyDirectory.self, ["src": "a", "dest": "b"], files: ["work/a/f": "text"])
        },
        "steps.CountLines": {
            try await verify(CountLines.self, "words", files: ["work/words": "one\ntwo\n"])
        },
        "steps.DirectoryUpload": {
            try await verify(
                DirectoryUpload.self, ["workersrc": "a", "masterdest": "b"],
                files: ["work/a/f": "text"])
        },
        "steps.FileDownload": {
            try await verify(
                FileDownload.self, ["mastersrc": "f", "workerdest": "g"], files: ["f": "text"])
        },
        "steps.FileUpload": {
            try await verify(
                FileUpload.self, ["workersrc": "f", "masterdest": "g", "url": "http://h/g"],
                files: ["work/f": "text"])
        },
        "steps.JSONStringDownload": {
            try await verify(
                JSONStringDownload.self, ["o": ["a": token], "workerdest": "f"])
        },
        "steps.MakeDirectory": { try await verify(MakeDirectory.self, "a/b") },
        "steps.RemoveDirectory": {
            try await verify(RemoveDirectory.self, "a", files: ["work/a/f": "text"])
        },
        "steps.StringDownload": {
            try await verify(StringDownload.self, ["s": token, "workerdest": "f"])
        },
        "secrets.Command": {
            try await withTemporaryFolder { folder in
                let script = "[ $1 = token ] && echo s3cr3t-value || exit 4"
                try folder.write(script, to: "ask")
                try await SecretContract(
                    CommandSecrets.self, ["command": ["sh", "ask"], "notFound": [4]],
                    knowing: "token"
                ) {
                    SecretHarness(folder: folder.path, worker: folder.localWorker)
                }.verify()
            }
        },
        "secrets.Environment": {
            try await SecretContract(EnvironmentSecrets.self, knowing: "PATH").verify()
        },
        "secrets.File": {
            try await withTemporaryFolder { folder in
                try folder.write("s3cr3t-value", to: "secrets/token", permissions: 0o600)
                try await SecretContract(FileSecrets.self, "secrets", knowing: "token") {
                    SecretHarness(folder: folder.path, worker: folder.localWorker)
                }.verify()
            }
        },
    ]

    /// Runs the contract of a step that sends requests.
    private static func request<S: Step>(_ type: S.Type, method: String? = nil) -> Check {
        {
            try await withLoopbackServer { server in
                var settings: JSONObject = [
                    "url": .string("\(server.url)/builds"),
                    "auth": ["bearer": .string("static")],
                ]
                if let method { settings["method"] = .string(method) }
                let plain = SettingLiteral(settings)
                try await StepContract(type, plain).verify()
                let secret: SettingLiteral = ["url": .interpolate("\(server.url)/%(secret:path)s")]
                if method == nil { try await StepContract(type, secret).verify() }
            }
        }
    }

    private static let requests: [String: Check] = [
        "steps.DELETE": request(DELETE.self), "steps.GET": request(GET.self),
        "steps.HEAD": request(HEAD.self), "steps.HTTPStep": request(HTTPStep.self, method: "POST"),
        "steps.OPTIONS": request(OPTIONS.self), "steps.PATCH": request(PATCH.self),
        "steps.POST": request(POST.self), "steps.PUT": request(PUT.self),
    ]

    private static let others: [String: Check] = [
        "steps.Assert": {
            try await verify(Assert.self, ["check": .equal(.property("branch"), "main")])
        },
        "steps.LogRenderable": {
            try await verify(LogRenderable.self, ["content": ["a": token]])
        },
        "steps.SetProperties": {
            try await verify(SetProperties.self, ["properties": ["a": token, "b": 2]])
        },
        "steps.SetProperty": {
            try await verify(SetProperty.self, ["property": "a", "value": token])
        },
        "steps.StopBackgroundCommand": {
            try await verify(StopBackgroundCommand.self, "nobody", expecting: .skipped)
        },
        "steps.Trigger": {
            try await StepContract(
                Trigger.self, ["builderNames": ["a"], "waitForFinish": true]
            ) {
                try StepHarness(builds: { _ in
                    [TriggeredBuild(builder: "a", number: 1, results: .success)]
                })
            }.verify()
        },
        "steps.Git": {
            try await withTemporaryFolder { parent in
                let setUp = Command.Shell(
                    """
                    git init -q -b main source && cd source && echo 1 > a && git add a &&
                    git -c user.name=Ann -c user.email=ann@example.com commit -q -m one
                    """, in: parent.path)
                let made = try await parent.localWorker.run(.shell(setUp)) { _ in }
                #expect(made.isSuccess)
                try await StepContract(
                    Git.self, ["repourl": .string("\(parent.path)/source"), "branch": "main"],
                    limit: .seconds(60)
                ) {
                    let folder = try parent.makeFolder()
                    try folder.write("", to: "work/.keep")
                    return try StepHarness(
                        worker: folder.localWorker, workdir: "\(folder.path)/work",
                        masterFolder: parent.path)
                }.verify()
            }
        },
    ]
}
