import FoundationEssentials
import MasterKit
import Testing

/// Mistakes made by machine: `check` finds each of them once and where it is, and agrees with the
/// schema, which follows from the declarations of the settings alone.
@Suite(.timeLimit(.minutes(5)))
struct MutationTests {
    private static let names: [String] = {
        do {
            return try Checkout.names(in: "Examples").filter { $0 != Checkout.loadedExample }
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// A file with mistakes, and what was found in it.
    private struct Judged {
        let mutations: [Mutation]
        let text: String
        var errors: [JSONValue] = []
        var isValidBySchema: Bool?
    }

    /// Checks many versions of an example at once.
    private func judge(_ name: String, _ cases: [[Mutation]], of text: String) async throws
        -> [Judged]
    {
        let program = BuiltProgram.ofExample(name)
        var judged = cases.map { Judged(mutations: $0, text: Mutation.apply($0, to: text)) }
        try await TemporaryFolder.with { folder in
            try folder.copy("Examples/\(name)", to: "example")
            let files = judged.indices.map { "\($0).yaml" }
            for (file, one) in zip(files, judged) {
                try folder.write(one.text, to: "example/\(file)")
            }
            // Two programs at once take half the time.
            let middle = files.count / 2
            async let first = program.run(
                ["check", "--format", "json"] + files[..<middle], in: "\(folder.path)/example")
            async let second = program.run(
                ["check", "--format", "json"] + files[middle...], in: "\(folder.path)/example")
            let reports = try await [first, second].map { try JSONValue(parsing: $0.output) }
            #expect(reports.map { $0["files"]?.arrayValue?.count ?? 0 }.reduce(0, +) == files.count)
            for diagnostic in reports.flatMap({ $0["diagnostics"]?.arrayValue ?? [] })
            where diagnostic["severity"] == "error" {
                let file = try #require(diagnostic["file"]?.stringValue)
                let index = try #require(files.firstIndex(of: file))
                judged[index].errors.append(diagnostic)
            }
        }
        guard cases.contains(where: { $0.count == 1 }) else { return judged }
        // A key that occurs twice is no matter of a schema.
        let parsed = judged.indices.compactMap { index in
            judged[index].mutations.contains { $0.kind == .doubled }
                ? nil : YAMLParser.parse(judged[index].text, name: "").root.map { (index, $0) }
        }
        let verdicts = try await SchemaValidation.isEachValid(
            parsed.map { $1.schemaInstance(marksTags: true) }, program: program, hasMarks: true)
        for ((index, _), isValid) in zip(parsed, verdicts) {
            judged[index].isValidBySchema = isValid
        }
        return judged
    }

    /// Whether an error is about a name that refers to something, or that something refers to.
    private func isAboutReference(_ error: JSONValue) -> Bool {
        let message = error["message"]?.stringValue ?? ""
        return [
            "there is no builder", "there is no factory", "there is no scheduler",
            "there is no lock", "there is no worker", "no worker has the tags",
            "can't connect without", "no builder has the tag",
            "has neither 'steps' nor 'factory'", "no step is named", "has no parameter",
            "needs the parameter", "has no provider", "the matrix has no axis",
            "no step before this one starts", "two services are named",
        ].contains { message.contains($0) }
    }

    private func complaint(_ judged: Judged) -> String? {
        let mutation = judged.mutations[0]
        let shown = judged.errors.map {
            "\($0["line"]?.intValue ?? 0): \($0["message"]?.stringValue ?? "")"
        }
        let errors = judged.errors.filter { !isAboutReference($0) }
        let isInvalid = mutation.kind == .doubled || judged.isValidBySchema == false
        let isElsewhere = errors.contains {
            !mutation.lines.contains($0["line"]?.intValue ?? 0)
        }
        if isInvalid ? judged.errors.count != 1 : errors.count > 1 {
            return "\(mutation): \(judged.errors.count) errors: \(shown)"
        }
        if isElsewhere { return "\(mutation): not in lines \(mutation.lines): \(shown)" }
        if judged.isValidBySchema == true, !errors.isEmpty, !isAboutPattern(errors[0], mutation) {
            return "\(mutation): the schema allows it: \(shown)"
        }
        return nil
    }

    /// Whether an error is about the form of a text, or about settings that exclude each other,
    /// which a schema does not express.
    private func isAboutPattern(_ error: JSONValue, _ mutation: Mutation) -> Bool {
        let message = error["message"]?.stringValue ?? ""
        return [
            "needs either", "needs 'builderNames' or 'schedulerNames'",
            "must be a parameter such as", "needs 'choices'", "the default of the parameter",
            "there is no time zone", "needs one of", "needs 'command' or 'file'",
            "needs a 'template'",
            "must begin with http:// or https://", "must be debug or release, not 'zzz'",
            "must be a port",
        ].contains { message.contains($0) }
    }

    @Test(arguments: names)
    func `each mistake is found once, where it is, as the schema finds it, and two are two`(
        _ name: String
    ) async throws {
        let text = try Checkout.text(of: "Examples/\(name)/master.yaml")
        let mutations = Mutation.all(of: text)
        #expect(mutations.count > 20)
        #expect(Set(mutations.map(\.kind)).isSuperset(of: [.misspelt, .dropped, .doubled, .list]))
        let judged = try await judge(name, mutations.map { [$0] }, of: text)
        let complaints = judged.compactMap(complaint)
        #expect(complaints == [])
        #expect(judged.contains { $0.isValidBySchema == false })
        let pairs = try await judge(name, pairs(of: judged), of: text)
        #expect(!pairs.isEmpty)
        for pair in pairs where pair.errors.count != 2 {
            Issue.record("\(pair.mutations): \(pair.errors)")
        }
    }

    /// Pairs of misspelled keys, neither of which is in the value of the other.
    private func pairs(of judged: [Judged]) -> [[Mutation]] {
        let mistakes = judged.filter {
            $0.mutations[0].kind == .misspelt && $0.errors.count == 1
                && !isAboutReference($0.errors[0])
        }.map { $0.mutations[0] }
        return mistakes.indices.flatMap { index in
            mistakes.indices.contains(index + 2) ? [[mistakes[index], mistakes[index + 2]]] : []
        }.filter { pair in
            // What is in an unknown setting is not read.
            !pair[1].path.starts(with: pair[0].path)
        }
    }
}

/// The schema accepts what is right.
@Suite(.timeLimit(.minutes(5)))
struct SchemaTests {
    private static let programs = [
        BuiltProgram.buildmaster, BuiltProgram.ofExample("CustomMaster"),
    ]

    @Test(arguments: ["7", "2020"])
    func `the examples and the blocks of the documents are valid`(draft: String) async throws {
        for program in Self.programs {
            var files: [(name: String, text: String)] = []
            for name in try Checkout.names(in: "Examples")
            where BuiltProgram.ofExample(name).name == program.name
                && name != Checkout.loadedExample
            {
                files.append((name, try Checkout.text(of: "Examples/\(name)/master.yaml")))
            }
            let blocks = try YAMLBlocksTests.rightBlocks().filter {
                YAMLBlocksTests.program(for: $0).name == program.name
            }
            files += blocks.map { ("\($0)", YAMLBlocksTests.file($0.text)) }
            let values = try files.map { file in
                try #require(YAMLParser.parse(file.text, name: "").root).schemaInstance()
            }
            #expect(values.count > 1)
            let verdicts = try await SchemaValidation.isEachValid(
                values, program: program, draft: draft)
            for (file, isValid) in zip(files, verdicts) { #expect(isValid, "\(file.name)") }
        }
    }

    @Test func `a value of the wrong kind, and a name that is not known, are invalid`()
        async throws
    {
        let wrong: [JSONValue] = [
            ["steps": "make"], ["title": ["a"], "steps": []], ["services": []],
            ["steps": [["steps.ShellComand": "make"]]], ["steps": [["steps.POST": [:]]]],
            ["steps": ["steps.POST"]], ["steps": [["steps.POST": ["url": "u", "auth": ["a": 1]]]]],
            ["steps": [["steps.GET": "u", "steps.POST": "u"]]], ["builders": []],
            ["builders": [["steps": []]]], ["steps": [], "delivery": ["durability": "life"]],
            ["steps": [["steps.ShellCommand": ["command": "a", "haltOnFailure": 1]]]],
        ]
        let right: [JSONValue] = [
            ["steps": [["steps.POST": "http://h/"], "steps.Test", [["steps.Test": nil]]]],
            ["x-free": 1, "builders": [["name": "a", "steps": [["factories.CMake": [:]]]]]],
            ["steps": [["steps.ShellCommand": ["command": ["a"], "retry": 3]]]],
        ]
        let verdicts = try await SchemaValidation.isEachValid(
            wrong + right, program: .buildmaster)
        for (value, isValid) in zip(wrong + right, verdicts) {
            #expect(isValid == right.contains(value), "\(value)")
        }
    }

    @Test func `an editor is told where the schema is, and which tags there are`() async throws {
        let ended = try await BuiltProgram.buildmaster.run(
            ["schema", "--vscode", "--schema-file", "ci/schema.json"], in: Checkout.folder)
        let settings = try JSONValue(parsing: ended.output)
        #expect(settings["yaml.schemas"] == ["./ci/schema.json": ["master.yaml", "master.yml"]])
        let tags = settings["yaml.customTags"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(tags.contains("!Property mapping") && tags.contains("!Interpolate scalar"))
        let page = try Checkout.text(of: "Sources/MasterKit/MasterKit.docc/Rendering.md")
        for tag in page.matches(of: /!([A-Z][A-Za-z]+)/) {
            #expect(tags.contains { $0.hasPrefix("!\(tag.1) ") }, "\(tag.1)")
        }
    }
}
