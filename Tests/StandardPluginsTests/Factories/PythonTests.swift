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
                "sh -c SCRIPT .venv/bin/python pytest",
                ".venv/bin/python -m pytest",
            ]
        ),
        (
            "{test: unittest}",
            [
                "python3 -m venv /tmp/none/work/sample/venv",
                "sh -c SCRIPT /tmp/none/work/sample/venv/bin/python",
                "/tmp/none/work/sample/venv/bin/python -m unittest",
            ]
        ),
        (
            "{test: false, install: []}",
            [
                "python3 -m venv /tmp/none/work/sample/venv"
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
        let shown = try run.commands().map { command in
            guard let script = command.ranges(of: #""$@""#).last else { return command }
            return "sh -c SCRIPT" + command[script.upperBound...]
        }
        #expect(shown == commands)
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
        #expect(states == ["venv: 'python3 -m venv ...'", "test: 2 tests, 1 failed (failure)"])
    }

    /// A backend in the project itself, so that nothing has to be fetched.
    private static let backend = """
        import os, zipfile

        def build_editable(folder, config_settings=None, metadata_directory=None):
            info = "sample-1.0.dist-info/"
            files = {
                "sample.pth": os.path.abspath("src"),
                info + "METADATA": "Metadata-Version: 2.1\\nName: sample\\nVersion: 1.0\\n",
                info + "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
            }
            record = "".join(name + ",,\\n" for name in files) + info + "RECORD,,\\n"
            name = "sample-1.0-py3-none-any.whl"
            with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
                for path, text in {**files, info + "RECORD": record}.items():
                    wheel.writestr(path, text)
            return name
        """

    @Test func `a package whose sources are in src is installed before its tests`() async throws {
        let states = try await FactoryRun.run(
            "{factories.Python: {test: unittest}}",
            files: [
                "pyproject.toml": """
                [project]
                name = "sample"
                version = "1.0"

                [build-system]
                requires = []
                build-backend = "backend"
                backend-path = ["."]
                """,
                "backend.py": Self.backend,
                "src/sample/__init__.py": "ANSWER = 42\n",
                "test_sample.py": """
                import unittest
                import sample

                class Sample(unittest.TestCase):
                    def test_answer(self):
                        self.assertEqual(sample.ANSWER, 42)
                """,
            ])
        #expect(states == ["venv: 'python3 -m venv ...'", "install: 'sh -c ...'", "test: 1 test"])
    }

    @Test func `where there is nothing to install, nothing is`() async throws {
        let states = try await FactoryRun.run(
            "{factories.Python: {test: false}}", files: ["pyproject.toml": "[tool.x]\n"])
        #expect(states == ["venv: 'python3 -m venv ...'", "install: 'sh -c ...'"])
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
