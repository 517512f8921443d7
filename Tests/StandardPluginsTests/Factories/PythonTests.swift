import MasterKit
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(3)))
struct PythonTests {
    @Test(arguments: [
        (
            "{venv: .venv}",
            [
                "python3 -m venv .venv",
                ".venv/bin/python -m pip install --disable-pip-version-check pytest",
                ".venv/bin/python -m pytest",
            ]
        ),
        (
            """
            {python: python3.11, systemSitePackages: true, venv: !Property where,
             requirements: [a.txt, b.txt], install: [".[test]"], test: unittest,
             testArguments: [-v]}
            """,
            [
                "python3.11 -m venv --system-site-packages /v",
                "/v/bin/python -m pip install --disable-pip-version-check -r a.txt -r b.txt",
                "/v/bin/python -m pip install --disable-pip-version-check .[test]",
                "/v/bin/python -m unittest -v",
            ]
        ),
        ("{venv: false}", ["python3 -m pytest"]),
        (
            "{venv: false, install: [x], test: false}",
            ["python3 -m pip install --disable-pip-version-check x"]
        ),
    ])
    func `the commands are those that one would type`(
        _ settings: String, _ commands: [String]
    ) async throws {
        let run = try await FactoryRun.load(
            "{factories.Python: \(settings)}", properties: "{where: /v}")
        #expect(try run.commands() == commands)
    }

    @Test func `a real package is tested in an environment of its own`() async throws {
        let states = try await FactoryRun.run(
            "{factories.Python: {systemSitePackages: true, install: []}}",
            files: [
                "test_sample.py": """
                import sys

                def test_good():
                    assert sys.prefix.endswith("/work/sample/venv")

                def test_bad():
                    assert False
                """
            ])
        #expect(states == ["venv: 'python3 -m ...'", "test: 2 tests, 1 failed (failure)"])
    }

    @Test(arguments: [
        (
            "{test: nose}",
            "'test' of factories.Python must be pytest, unittest or false, not 'nose'"
        ),
        (
            "{venv: true}",
            "'venv' of factories.Python must be the path of a folder, or false, not true"
        ),
    ])
    func `mistakes are found at the factory`(_ settings: String, _ message: String) async throws {
        #expect(try await FactoryRun.mistakes("{factories.Python: \(settings)}") == [message])
    }
}
