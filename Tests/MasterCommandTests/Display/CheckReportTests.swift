import FoundationEssentials
import MasterKit
import Testing

@testable import MasterCommand

struct CheckReportTests {
    private static let file = SourceFile(name: "ci/a b.yaml", text: "one: 1\ntwo: é\n")

    private static var report: CheckReport {
        let range = file.range(ofUTF8: 7..<10)
        let diagnostics = [
            Diagnostic(.error, "wrong", file: file),
            Diagnostic(
                .warning, "odd", file: file, range: range,
                notes: [.init("see here", range: file.range(ofUTF8: 0..<3))],
                fix: .init(replacement: "three", range: range)),
        ]
        let absolute = SourceFile(name: "/x/b.yaml", text: "")
        return CheckReport([
            .init(file: "ci/a b.yaml", diagnostics: diagnostics),
            .init(
                file: "/x/b.yaml", diagnostics: [Diagnostic(.note, "aside", file: absolute)]),
            .init(file: "c.yaml", diagnostics: []),
        ])
    }

    @Test func `machines get every part`() throws {
        let report = Self.report.json
        #expect(report["valid"] == false)
        #expect(report["files"] == ["ci/a b.yaml", "/x/b.yaml", "c.yaml"])
        #expect(
            report["diagnostics"]?[1] == [
                "severity": "warning", "message": "odd", "file": "ci/a b.yaml",
                "line": 2, "column": 1, "endLine": 2, "endColumn": 4,
                "fix": [
                    "message": nil, "replacement": "three",
                    "line": 2, "column": 1, "endLine": 2, "endColumn": 4,
                ],
                "notes": [
                    ["message": "see here", "line": 1, "column": 1, "endLine": 1, "endColumn": 4]
                ],
            ])
        #expect(report["diagnostics"]?[0]?["line"] == .null)
        #expect(CheckReport().json["valid"] == true)
    }

    @Test func `SARIF has the place, the notes and the fix of each mistake`() throws {
        let run = try #require(Self.report.sarif["runs"]?[0])
        #expect(
            run["results"]?[1] == [
                "ruleId": "master-yaml/warning", "level": "warning", "message": ["text": "odd"],
                "locations": [
                    [
                        "physicalLocation": [
                            "artifactLocation": ["uri": "ci/a%20b.yaml"],
                            "region": [
                                "startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 4,
                            ],
                        ]
                    ]
                ],
                "relatedLocations": [
                    [
                        "physicalLocation": [
                            "artifactLocation": ["uri": "ci/a%20b.yaml"],
                            "region": [
                                "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 4,
                            ],
                        ],
                        "message": ["text": "see here"],
                    ]
                ],
                "fixes": [
                    [
                        "artifactChanges": [
                            [
                                "artifactLocation": ["uri": "ci/a%20b.yaml"],
                                "replacements": [
                                    [
                                        "deletedRegion": [
                                            "startLine": 2, "startColumn": 1, "endLine": 2,
                                            "endColumn": 4,
                                        ],
                                        "insertedContent": ["text": "three"],
                                    ]
                                ],
                            ]
                        ]
                    ]
                ],
            ])
        #expect(
            run["results"]?[2]?["locations"]?[0]?["physicalLocation"]?["artifactLocation"]?["uri"]
                == "file:///x/b.yaml")
    }

    /// The parts of the schema of SARIF 2.1.0 that concern these logs, all closed, so that a
    /// misspelled member is found.
    private static let validator = """
        import json, jsonschema
        def obj(required, **members):
            return {"type": "object", "required": required, "properties": members,
                    "additionalProperties": False}
        def arr(items): return {"type": "array", "items": items}
        text, number = {"type": "string"}, {"type": "integer", "minimum": 1}
        message = obj(["text"], text=text)
        level = {"enum": ["none", "note", "warning", "error"]}
        place = obj(["uri"], uri={"type": "string", "pattern": "^[^ \\\\\\\\]+$"})
        region = obj(["startLine"], startLine=number, startColumn=number, endLine=number,
                     endColumn=number)
        located = dict(physicalLocation=obj(["artifactLocation"], artifactLocation=place,
                                            region=region))
        replacement = obj(["deletedRegion"], deletedRegion=region, insertedContent=message)
        fix = obj(["artifactChanges"], artifactChanges=arr(obj(
            ["artifactLocation", "replacements"], artifactLocation=place,
            replacements=arr(replacement))))
        result = obj(["message"], ruleId=text, level=level, message=message,
                     locations=arr(obj([], **located)),
                     relatedLocations=arr(obj([], message=message, **located)), fixes=arr(fix))
        rule = obj(["id"], id=text, shortDescription=message,
                   defaultConfiguration=obj([], level=level))
        run = obj(["tool"], columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                  tool=obj(["driver"], driver=obj(["name"], name=text, version=text,
                                                  rules=arr(rule))),
                  artifacts=arr(obj([], location=place)), results=arr(result))
        sarif = {**obj(["version", "runs"], version={"const": "2.1.0"}, runs=arr(run))}
        sarif["properties"]["$schema"] = text
        jsonschema.Draft7Validator(sarif).validate(json.load(open("report.sarif")))
        schema = json.load(open("schema.json"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        report = json.load(open("report.json"))
        validator.validate(report)
        assert not validator.is_valid({**report, "formatVersion": 2})
        report["diagnostics"][0]["severity"] = "fatal"
        assert not validator.is_valid(report)
        print("valid")
        """

    @Test func `SARIF and JSON are what their schemas say`() async throws {
        let writer = JSONWriter.pretty
        let files = [
            "report.sarif": writer.string(Self.report.sarif),
            "report.json": writer.string(Self.report.json),
            "schema.json": writer.string(CheckReport.schema),
        ]
        try await Program.inFolder(files) { program in
            let check = try await program.run(
                ["python3", "-c", Self.validator], executable: "/usr/bin/env"
            ) { _ in }
            #expect(check.output == "valid\n", "\(check.output)\(check.error)")
        }
    }
}
