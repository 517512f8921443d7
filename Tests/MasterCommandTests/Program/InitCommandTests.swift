import FoundationEssentials
import Testing

@Suite(.timeLimit(.minutes(5)))
struct InitCommandTests {
    /// The files of a folder, and the steps that `init` writes for them.
    struct Folder: CustomTestStringConvertible {
        let testDescription: String
        let files: [String: String]
        let steps: [String]

        init(_ name: String, _ files: [String: String], _ steps: String...) {
            testDescription = name
            self.files = files
            self.steps = steps
        }
    }

    static let folders = [
        Folder(
            "Swift", ["Package.swift": "let package = Package(targets: [.target(name: \"A\")])"],
            "factories.SwiftPackage: {test: false}"),
        Folder(
            "Swift with tests", ["Package.swift": "// .testTarget(name: \"ATests\")"],
            "factories.SwiftPackage"),
        Folder(
            "CMake", ["CMakeLists.txt": "project(a C)\n", "Makefile": "all:\n"],
            "factories.CMake: {test: false}"),
        Folder(
            "CMake with tests", ["CMakeLists.txt": "project(a C)\nENABLE_TESTING()\n"],
            "factories.CMake"),
        Folder(
            "Python", ["setup.py": "", "test_a.py": "import unittest\n"],
            "factories.Python: {venv: false, test: unittest}"),
        Folder(
            "Python with unittest in a folder",
            ["setup.py": "", "tests/test_a.py": "from unittest import TestCase\n"],
            "factories.Python: {venv: false, test: unittest, "
                + "testArguments: [discover, -s, tests]}"),
        Folder(
            "Python with unittest in a package",
            ["setup.py": "", "tests/__init__.py": "", "tests/test_a.py": "import unittest\n"],
            "factories.Python: {venv: false, test: unittest}"),
        Folder(
            "Python with functions, which only pytest finds",
            ["requirements-dev.txt": "", "tests/test_a.py": "def test_a(): pass\n"],
            "factories.Python: {venv: false}"),
        Folder(
            "Python without tests", ["setup.py": ""],
            "steps.Compile: python3 -m compileall -f -q -x '/([.][^/]*|venv)/' ."),
        Folder(
            "Python with pytest", ["pyproject.toml": "[tool.pytest.ini_options]\n"],
            "factories.Python: {venv: false}"),
        Folder(
            "Node.js",
            [
                "package.json": """
                {"scripts": {"build": "tsc", "test": "vitest"}, "devDependencies": {"tsc": "1"}}
                """, "yarn.lock": "",
            ], "steps.Compile: yarn install", "steps.Compile: yarn run build",
            "steps.Test: yarn run test"),
        Folder(
            "Node.js without tests",
            ["package.json": #"{"scripts": {"test": "echo \"no test specified\" && exit 1"}}"#],
            "steps.Compile: npm install"),
        Folder("Node.js, damaged", ["package.json": "{"], "steps.Compile: npm install"),
        Folder(
            "Go", ["go.mod": "module a\n"],
            "steps.Compile: go build ./...", "steps.Compile: go vet ./...",
            "steps.Test: go test -v ./..."),
        Folder(
            "Rust", ["Cargo.toml": ""], "steps.Compile: cargo build --all-targets",
            "steps.Test: cargo test"),
        Folder("make", ["Makefile": "all:\n\ttrue\n"], "steps.Compile: make"),
        Folder(
            "make with tests", ["makefile": "all: a\na:\n\ttrue\ncheck: a\n"],
            "steps.Compile: make", "steps.Test: make check"),
    ]

    @Test(arguments: folders)
    func `the file has the steps of the build system, and no mistake`(
        _ folder: Folder
    ) async throws {
        try await Program.inFolder(folder.files) { program in
            let made = try await program.run("init")
            #expect(made.status == 0, "\(made.error)")
            #expect(made.output.hasPrefix("wrote master.yaml (for the "))
            let lines = try program.text(of: "master.yaml").split(separator: "\n")
            let steps = lines.filter { $0.hasPrefix("  - ") }
            #expect(steps.map { $0.dropFirst("  - ".count) } == folder.steps.map { $0[...] })
            let checked = try await program.run("check")
            #expect(checked.status == 0, "\(checked.output)")
            #expect(!checked.output.contains("warning"), "\(checked.output)")
        }
    }

    @Test func `the file that was written runs`() async throws {
        let files = [
            "setup.py": "",
            "test_sums.py": """
            import unittest

            class Sums(unittest.TestCase):
                def test_one(self): self.assertEqual(1 + 1, 2)
            """,
        ]
        let ended = try await Program.inFolder(files) { program in
            _ = try await program.run("init")
            return try await program.run("run")
        }
        #expect(ended.status == 0, "\(ended.output)\(ended.error)")
    }

    @Test func `several build systems give a builder each, others an example`() async throws {
        let files = ["go.mod": "", "Cargo.toml": "", "Makefile": "all:\n"]
        try await Program.inFolder(files) { program in
            let made = try await program.run("init")
            #expect(
                made.output == """
                    wrote master.yaml (for the Go module, the Rust package); \
                    to build, type: buildmaster run

                    """)
            let checked = try await program.run("check")
            #expect(checked.output == "master.yaml: 2 builders, 5 steps, 0 reporters\n")
        }
        try await Program.inFolder(["README.md": ""]) { program in
            let made = try await program.run("init")
            #expect(
                made.output == """
                    wrote master.yaml (no build system found, so its only step is an example); \
                    to build, type: buildmaster run

                    """)
            let ended = try await program.run("run")
            #expect(ended.status == 0, "\(ended.error)")
        }
    }

    @Test func `an interpreter of the folder itself is used`() async throws {
        try await Program.inFolder(["requirements.txt": "pytest\n"]) { program in
            try FileManager.default.createDirectory(
                atPath: program.folder + "/.venv/bin", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: program.folder + "/.venv/bin/python", withDestinationPath: "/bin/sh")
            _ = try await program.run("init")
            let text = try program.text(of: "master.yaml")
            #expect(text.contains("- factories.Python: {python: .venv/bin/python, venv: false}\n"))
            let shown = try await program.run("run", "--dry-run").output
            #expect(shown.contains(#"command: [".venv/bin/python","-m","pytest"]"#), "\(shown)")
        }
    }

    @Test func `Python without tests is compiled, but not its environments`() async throws {
        try await Program.inFolder(["setup.py": "", "a.py": "x = 1\n"]) { program in
            for folder in ["/venv", "/.tox"] {
                try FileManager.default.createDirectory(
                    atPath: program.folder + folder, withIntermediateDirectories: false)
            }
            try program.write("x = (\n", to: "venv/b.py")
            try program.write("x = (\n", to: ".tox/c.py")
            let made = try await program.run("init")
            #expect(made.output.contains("no tests were found"))
            #expect(try await program.run("run").status == 0)
            // Not a.py, which compileall skips if it changes within a second.
            try program.write("x = ((((\n", to: "b.py")
            #expect(try await program.run("run").status == 1)
        }
    }

    @Test func `only files are marks of a build system`() async throws {
        try await Program.inFolder { program in
            for folder in ["/package.json", "/configure"] {
                try FileManager.default.createDirectory(
                    atPath: program.folder + folder, withIntermediateDirectories: false)
            }
            let command = ["-c", "mkfifo Makefile"]
            #expect(try await program.run(command, executable: "/bin/sh") { _ in }.status == 0)
            let made = try await program.run("init")
            #expect(made.output.contains("no build system found"), "\(made)")
        }
    }

    @Test func `a package file that can't be read is told`() async throws {
        try await Program.inFolder(["package.json": "{"]) { program in
            let made = try await program.run("init")
            #expect(made.status == 0)
            #expect(made.error.hasPrefix("note: package.json can't be read as JSON, "))
        }
    }

    @Test func `a file with the other ending is not given a rival`() async throws {
        try await Program.inFolder(["master.yml": "mine", "go.mod": ""]) { program in
            let ended = try await program.run("init")
            #expect(ended.status == 1)
            #expect(ended.error.contains("rename it to master.yaml, or run it with -c"))
            #expect(!program.has("master.yaml"))
        }
    }

    @Test func `a file that exists is left as it is`() async throws {
        try await Program.inFolder(["master.yaml": "mine", "go.mod": ""]) { program in
            let ended = try await program.run("init")
            #expect(ended.status == 1)
            #expect(
                ended.error == """
                    error: master.yaml exists, and is left as it is; rename it to get a new one

                    """)
            #expect(try program.text(of: "master.yaml") == "mine")
        }
        try await Program.inFolder { program in
            try FileManager.default.createSymbolicLink(
                atPath: program.folder + "/master.yaml", withDestinationPath: "other.yaml")
            #expect(try await program.run("init").status == 1)
            #expect(!FileManager.default.fileExists(atPath: program.folder + "/other.yaml"))
        }
    }

    @Test func `a folder elsewhere gets the file, and the command to run it`() async throws {
        try await Program.inFolder { program in
            try FileManager.default.createDirectory(
                atPath: program.folder + "/a b", withIntermediateDirectories: false)
            try program.write("all:\n\ttrue\n", to: "a b/Makefile")
            let made = try await program.run("init", "a b")
            #expect(
                made.output == """
                    wrote a b/master.yaml (for the makefile); \
                    to build, type: buildmaster run -c 'a b/master.yaml'

                    """)
            let missing = try await program.run("init", "nowhere")
            #expect(missing.status == 1)
            #expect(
                missing.error == """
                    error: can't read the folder nowhere: No such file or directory

                    """)
        }
    }
}

extension Program {
    /// The text of a file in the folder.
    fileprivate func text(of name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: folder + "/" + name)), as: UTF8.self)
    }
}
