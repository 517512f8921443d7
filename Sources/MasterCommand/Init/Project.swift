internal import MasterKit

/// A project with a known build system, and the steps that build and test it.
struct Project {
    /// An entry in the list of steps: a step, or a ready-made factory.
    struct Step: Equatable {
        /// The entry as it stands in the file, such as `steps.Compile: make`.
        let text: String

        static func configure(_ command: String) -> Step {
            Step(text: "steps.Configure: \(command)")
        }
        static func compile(_ command: String) -> Step { Step(text: "steps.Compile: \(command)") }
        static func test(_ command: String) -> Step { Step(text: "steps.Test: \(command)") }

        /// A factory with those settings that differ from its defaults.
        static func factory(_ name: String, _ settings: String?...) -> Step {
            let settings = settings.compactMap(\.self).joined(separator: ", ")
            return Step(text: "factories.\(name)" + (settings.isEmpty ? "" : ": {\(settings)}"))
        }
    }

    /// The name of its builder if the folder has several projects.
    let name: String
    /// The kind of project, such as `Swift package`.
    let title: String
    let steps: [Step]
    /// What could not be read of the project, in a sentence.
    var note: String?

    /// Returns the projects in a folder.
    ///
    /// A makefile counts only if there is nothing else: it often just calls the other tools.
    static func all(in folder: ProjectFolder) -> [Project] {
        let projects = [swift, cmake, python, node, go, rust].compactMap { $0(folder) }
        guard projects.isEmpty else { return projects }
        return make(folder).map { [$0] } ?? []
    }

    // MARK: Build systems

    private static func swift(_ folder: ProjectFolder) -> Project? {
        guard folder.has("Package.swift") else { return nil }
        let hasTests = folder.mentions("testtarget", in: "Package.swift")
        return Project(
            name: "swift", title: "Swift package",
            steps: [.factory("SwiftPackage", hasTests ? nil : "test: false")])
    }

    private static func cmake(_ folder: ProjectFolder) -> Project? {
        guard folder.has("CMakeLists.txt") else { return nil }
        let hasTests =
            folder.mentions("enable_testing", in: "CMakeLists.txt")
            || folder.mentions("include(ctest)", in: "CMakeLists.txt")
        return Project(
            name: "cmake", title: "CMake project",
            steps: [.factory("CMake", hasTests ? nil : "test: false")])
    }

    private static func python(_ folder: ProjectFolder) -> Project? {
        let marks = [
            "pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini", "requirements.txt",
            "requirements-dev.txt", "dev-requirements.txt",
        ]
        guard marks.contains(where: folder.has) else { return nil }
        let environments = [".venv/bin/python", "venv/bin/python"]
        let own = environments.first(where: folder.hasProgram)
        let python = own ?? "python3"
        // What the project needs is installed already, or the user's to install.
        func tests(_ setting: String?) -> Step {
            .factory("Python", own.map { "python: \($0)" }, "venv: false", setting)
        }
        let usesPytest =
            folder.has("pytest.ini") || !folder.entries { $0 == "conftest.py" }.isEmpty
            || folder.mentions(
                "pytest", in: "pyproject.toml", "setup.cfg", "setup.py", "tox.ini",
                "requirements.txt", "requirements-dev.txt", "dev-requirements.txt")
        if usesPytest {
            return Project(name: "python", title: "Python package", steps: [tests(nil)])
        }
        let testFiles = folder.entries { $0.hasPrefix("test") && $0.hasSuffix(".py") }
        // Without tests, unittest succeeds in older versions of Python and fails in newer ones.
        guard !testFiles.isEmpty else {
            return Project(
                name: "python", title: "Python package; no tests were found",
                steps: [.compile("\(python) -m compileall -f -q -x '/([.][^/]*|venv)/' .")])
        }
        // unittest finds no functions, which pytest does.
        guard let file = testFiles.first(where: { folder.text(of: $0).contains("unittest") })
        else { return Project(name: "python", title: "Python package", steps: [tests(nil)]) }
        // It finds no files in a folder that is not a package, either.
        let parts = file.split(separator: "/")
        let start =
            parts.count > 1 && !folder.hasFile("\(parts[0])/__init__.py")
            ? ", testArguments: [discover, -s, \(parts[0])]" : ""
        return Project(
            name: "python", title: "Python package", steps: [tests("test: unittest\(start)")])
    }

    private static func node(_ folder: ProjectFolder) -> Project? {
        guard folder.has("package.json") else { return nil }
        var package: JSONValue?
        var note: String?
        do {
            package = try JSONValue(parsing: folder.text(of: "package.json"))
        } catch {
            note =
                "package.json can't be read as JSON, so its scripts are not in the file: \(error)"
        }
        let managers = [
            ("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"),
            ("bun.lockb", "bun"),
        ]
        let manager = managers.first { folder.has($0.0) }?.1 ?? "npm"
        let scripts = package?["scripts"]
        let hasDependencies = ["dependencies", "devDependencies"].contains { key in
            package?[key]?.objectValue?.isEmpty == false
        }
        let test = scripts?["test"]?.stringValue
        // The default test script of `npm init` always fails.
        let hasTests = test.map { !$0.contains("no test specified") } ?? false
        var steps: [Step] = []
        if hasDependencies { steps.append(.compile("\(manager) install")) }
        if scripts?["build"] != nil { steps.append(.compile("\(manager) run build")) }
        if hasTests { steps.append(.test("\(manager) run test")) }
        if steps.isEmpty { steps.append(.compile("\(manager) install")) }
        return Project(name: "node", title: "Node.js package", steps: steps, note: note)
    }

    private static func go(_ folder: ProjectFolder) -> Project? {
        guard folder.has("go.mod") else { return nil }
        return Project(
            name: "go", title: "Go module",
            steps: [
                .compile("go build ./..."), .compile("go vet ./..."), .test("go test -v ./..."),
            ])
    }

    private static func rust(_ folder: ProjectFolder) -> Project? {
        guard folder.has("Cargo.toml") else { return nil }
        return Project(
            name: "rust", title: "Rust package",
            steps: [.compile("cargo build --all-targets"), .test("cargo test")])
    }

    private static func make(_ folder: ProjectFolder) -> Project? {
        let makefile = ["GNUmakefile", "makefile", "Makefile"].first(where: folder.has)
        let mustConfigure = makefile == nil && folder.hasProgram("configure")
        guard makefile != nil || mustConfigure else { return nil }
        let targets = makefile.map { folder.text(of: $0) } ?? ""
        let test = ["check", "test"].first { target in
            targets.split(whereSeparator: \.isNewline).contains { $0.hasPrefix("\(target):") }
        }
        let configure = mustConfigure ? [Step.configure("./configure")] : []
        return Project(
            name: "make", title: mustConfigure ? "configure script" : "makefile",
            steps: configure + [.compile("make")] + (test.map { [.test("make \($0)")] } ?? []))
    }
}
