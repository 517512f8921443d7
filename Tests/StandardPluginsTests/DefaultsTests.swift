import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

struct DefaultsTests {
    @Test func `an HTTP step needs only its address`() throws {
        let step = try HTTPStep.configured(yaml: "http://h/")
        let request = step.request

        #expect(step.method.constant == .post)
        #expect(request.url.constant?.text == "http://h/")
        #expect(request.params.constant.holdsNull())
        #expect(request.data.isNull)
        #expect(request.json.constant.holdsNull())
        #expect(request.headers.constant.holdsNull())
        #expect(request.cookies.constant.holdsNull())
        #expect(request.files.uploads.constant.holdsNull())
        #expect(request.auth.constant.holdsNull())
        #expect(request.timeout.constant.holdsNull())
        #expect(request.allowRedirects.constant == true)
        #expect(request.proxies.constant.holdsNull())
        #expect(request.stream.constant == false)
        #expect(request.verify.constant.holdsNull())
        #expect(request.cert.constant.holdsNull())
        #expect(request.maxRedirects.constant?.count == 30)
        #expect(request.maxSize.constant.holdsNull())
        #expect(HTTPRequest.defaultResponseLimit == 64 << 20)
        #expect(request.success.constant.holdsNull())
        #expect(request.retry.constant.holdsNull())
        #expect(request.extract.constant.holdsNull())
        #expect(request.hideRequestHeaders.constant == [])
        #expect(request.hideResponseHeaders.constant == [])
    }

    @Test func `a command may say nothing for twenty minutes, and only 0 is success`() throws {
        let step = try ShellCommand.configured(yaml: "make")
        let codes = try #require(step.command.process.decodeRC.constant)

        #expect(step.command.process.timeout.constant??.duration == .seconds(1200))
        #expect(step.command.process.env.constant.holdsNull())
        #expect((0...255).filter { codes[$0] == .success } == [0])
        #expect((1...255).allSatisfy { codes[$0] == .failure })
        #expect(step.command.command.constant?.invocation == .script("make"))
    }

    @Test func `a property from a command is stripped`() throws {
        let step = try SetPropertyFromCommand.configured(yaml: "{property: p, command: c}")
        #expect(step.strip.constant == true)
    }

    @Test func `a status push needs only its address`() throws {
        let reporter = try HttpStatusPush.configured(yaml: "http://h/", scope: .service)

        #expect(reporter.serverUrl.value.constant?.text == "http://h/")
        #expect(reporter.auth.constant.holdsNull())
        #expect(reporter.headers.value.constant.holdsNull())
        #expect(reporter.connection.timeout.constant.holdsNull())
        #expect(reporter.connection.verify.constant.holdsNull())
        #expect(reporter.connection.cert.constant.holdsNull())
        #expect(!reporter.connection.debug)
        #expect(!reporter.skipEncoding)
        #expect(reporter.format == nil)
        #expect(reporter.defaultGenerators.map(\.wantedEvents) == [[.buildNew, .buildFinished]])
        #expect(reporter.defaultFormatter is RecordFormatter)
        #expect(reporter.defaultFormatter.wanted == BuildDetails(authors: false))
    }

    @Test func `a generator reports failing, passing and warnings`() throws {
        let generator = try BuildStatusGenerator.configured()
        #expect(generator.mode.modes == [.failing, .passing, .warnings])
        #expect(!generator.reportsNew)
        #expect(generator.filter.admits(RecordedBuild().finished))
        #expect(generator.formatter == nil)
        #expect(generator.details.options() == ReportOptions())
    }

    @Test func `a generator of buildsets picks as one of builds does`() throws {
        #expect(try BuildSetStatusGenerator.configured().mode == .standard)
        #expect(try BuildSetStatusGenerator.configured().formatter == nil)
    }

    @Test func `every end of a step is reported, and every request`() throws {
        let steps = try StepStatusGenerator.configured()
        #expect(steps.mode == nil)
        #expect(steps.steps == nil)
        #expect(steps.events == [.finished])
        let requests = try BuildRequestGenerator.configured()
        #expect(requests.events == [.new, .cancelled, .collapsed])
    }

    @Test func `a formatter describes a build in plain words`() throws {
        let formatter = try TemplateMessageFormatter.configured()
        #expect(formatter.template == nil)
        #expect(formatter.subject == nil)
        #expect(formatter.kind == .plain)
        #expect(formatter.ctx.isEmpty)
        #expect(formatter.details.details == BuildDetails())
    }

    @Test func `a provider of secrets has no prefix`() throws {
        #expect(try EnvironmentSecrets.configured().prefix == "")
    }
}

extension Optional {
    /// Whether the value of a setting is known before a build and is null.
    fileprivate func holdsNull<Value>() -> Bool where Wrapped == Value? {
        if case .some(nil) = self { true } else { false }
    }
}
