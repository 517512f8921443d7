import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import Testing

@testable import MasterWeb

/// The dashboard's form of a ForceScheduler.
@Suite(.timeLimit(.minutes(1)))
struct ForcePageTests {
    private static let scheduler = """
        builders:
          - name: linux
            steps: [{steps.SetProperty: {property: done, value: x}}]
        schedulers:
          - schedulers.ForceScheduler:
              name: force
              builderNames: [linux]
              properties:
                - util.StringParameter: {name: note, required: true, tooltip: "<b>Why</b>"}
                - util.StringParameter: {name: token, default: t}
                - util.TextParameter: {name: text, label: Long text}
                - util.ChoiceStringParameter: {name: branch, choices: [main, next]}
                - util.ChoiceStringParameter: {name: any, choices: [x, y], strict: false}
                - util.FileParameter: {name: patch}
                - util.WorkerChoiceParameter: {}
                - util.NestedParameter:
                    name: deploy
                    label: Where to
                    tooltip: A machine and its zones.
                    fields:
                      - util.StringParameter: {name: host}
                      - util.ChoiceStringParameter:
                          {name: zones, choices: [eu, us, as], multiple: true, default: [as]}
        """

    private static let open = "www: 0\n" + scheduler

    private static let users = """
        www: {port: 0, auth: {users: {alice: !Secret alice}}}
        secrets: [secrets.Environment]

        """ + scheduler

    private static let secrets = ["alice": "wonderland-7"]
    private static let form = "Content-Type: application/x-www-form-urlencoded"

    /// Logs in, and returns the header with the cookie.
    private func logIn(_ web: Web) async throws -> String {
        "Cookie: \(try #require(try await web.logIn("alice", "wonderland-7").cookie))"
    }

    /// The value that a form proves its origin with.
    private func token(_ page: Web.Answer) throws -> String {
        String(try #require(page.body.firstMatch(of: /name="token" value="([0-9a-f]+)"/)?.1))
    }

    /// The properties of the first build.
    private func properties(_ web: Web) async throws -> JSONValue {
        while true {
            let answer = try await web.get("/api/v2/builds/1/properties")
            let properties = try JSONValue(parsing: answer.body)["properties"]?[0]
            if let properties, properties["done"] != nil { return properties }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func `parameters have the fields that fit, whatever their names`() async throws {
        try await withWeb(Self.open) { web in
            let page = try await web.get("/force/force")
            // One field for the branch, which has no default: nothing is chosen for the user.
            #expect(page.body.matches(of: /for="field-branch"/).count == 1)
            #expect(page.body.contains(#"<option value=""></option><option value="main">"#))
            let worker = #"<option value="-any-" selected="">any</option><option value="local">"#
            #expect(page.body.contains(worker))
            // Other texts than the choices can be typed.
            #expect(page.body.contains(#"<input id="field-any" name="field-any" value="""#))
            #expect(page.body.contains(#"<datalist id="field-any-choices"><option value="x">"#))
            #expect(page.body.contains(#"<textarea id="field-text""#))
            #expect(page.body.contains(/<textarea id="field-patch"[^>]* data-file=""/))
            let group = #"<fieldset><legend>Where to</legend><p class="hint">A machine and its "#
            #expect(page.body.contains(group + #"zones.</p><label for="field-deploy_host">"#))
            #expect(page.body.contains(#"<option value="as" selected="">"#))
            let fields = [
                "builderid=1", "token=\(try token(page))", "field-reason=why", "field-note=n",
                "field-token=own", "field-text=one%0D%0Atwo", "field-branch=next", "field-any=z",
                "field-patch=%2Bnew", "field-deploy_host=h", "field-deploy_zones=eu",
                "field-deploy_zones=us", "field-username=Ann",
            ].joined(separator: "&")
            let cookie = "Cookie: \(try #require(page.cookie))"
            let answer = try await web.post("/force/force", fields, Self.form, cookie)
            #expect(answer.status == 303, "\(answer.body)")
            let properties = try await properties(web)
            for (name, value) in [
                "note": "n", "token": "own", "text": "one\ntwo", "branch": "next", "any": "z",
            ] {
                #expect(properties[name]?[0] == .string(value), "\(name)")
            }
            #expect(properties["patch"]?[0] == "+new")
            #expect(properties["deploy"]?[0] == ["host": "h", "zones": ["eu", "us"]])
            #expect(properties["owner"]?[0] == "Ann")
            let stamp = try await web.get("/api/v2/buildsets/1/sourcestamps").body
            #expect(try JSONValue(parsing: stamp)["sourcestamps"]?[0]?["branch"] == "next")
        }
    }

    @Test func `fields are explained, beside what is wrong with them`() async throws {
        try await withWeb(Self.open) { web in
            let page = try await web.get("/force/force")
            let hint = #"<p class="hint" id="field-note-hint">&lt;b&gt;Why&lt;/b&gt;</p>"#
            #expect(page.body.contains(#"aria-describedby="field-note-hint">"# + hint))
            let cookie = "Cookie: \(try #require(page.cookie))"
            let fields = "builderid=1&token=\(try token(page))&field-note="
            let wrong = try await web.post("/force/force", fields, Self.form, cookie).body
            #expect(wrong.contains(#"aria-describedby="field-note-hint field-note-fault">"# + hint))
            #expect(wrong.contains(#"<p class="fault" id="field-note-fault" role="alert">"#))
            let form = try await web.get("/api/v2/forceschedulers/force").body
            let record = try JSONValue(parsing: form)["forceschedulers"]?[0]
            #expect(record?["all_fields"]?[2]?["tooltip"] == "<b>Why</b>")
        }
    }

    @Test func `what was typed is not lost with an old form or login`() async throws {
        try await withWeb(Self.users, secrets: Self.secrets) { web in
            let first = try await logIn(web)
            let old = try token(try await web.get("/force/force", first))
            let sent = "builderid=1&token=\(old)&field-note=typed&field-branch=next"
            _ = try await web.get("/auth/logout", first)
            let out = try await web.post("/force/force", sent, Self.form, first)
            #expect(out.status == 403)
            #expect(out.body.contains("You are not logged in any more."))
            #expect(out.body.contains(#"value="typed""#))
            // Another login has another cookie.
            let next = try await logIn(web)
            let again = try await web.post("/force/force", sent, Self.form, next)
            #expect(again.status == 403)
            #expect(again.body.contains("This form is too old or comes from elsewhere."))
            #expect(again.body.contains(#"value="typed""#))
            #expect(again.body.contains(#"<option value="next" selected="">"#))
            let fresh = sent.replacing(old, with: try token(again))
            #expect(try await web.post("/force/force", fresh, Self.form, next).status == 303)
            #expect(try await properties(web)["note"]?[0] == "typed")
        }
    }
}
