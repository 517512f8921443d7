import FoundationEssentials
import Testing

/// Rules for the files of this package as a whole.
@Suite(.timeLimit(.minutes(2)))
struct StructureTests {
    /// The word, split so that this file does not contain it.
    private static let dangerousWord = "un" + "safe"

    @Test func `the top folder has nothing but what belongs there`() async throws {
        let allowed: Set = [
            "Benchmarks", "Examples", "LICENSE", "Package.swift", "Plugins", "README.md",
            "Sources", "Tests", "master.yaml",
        ]
        let names = try await Checkout.trackedFiles().compactMap {
            $0.split(separator: "/").first.map(String.init)
        }
        #expect(Set(names).filter { !$0.hasPrefix(".") }.subtracting(allowed) == [])
        #expect(allowed.subtracting(["Benchmarks"]).subtracting(names) == [])
    }

    @Test func `what a build or a resolution makes is not tracked`() async throws {
        let made = try await Checkout.trackedFiles().filter { path in
            path == "Package.resolved" || path.contains(".build") || path.contains(".swiftpm/")
        }
        #expect(made == [])
    }

    @Test func `memory is handled by hand only where C is wrapped`() async throws {
        let wrappers = [
            "Sources/MasterCommand/Terminal/", "Sources/MasterHTTP/", "Sources/MasterPatterns/",
            "Sources/MasterRuntime/LocalWorker/", "Sources/MasterRuntime/Plugins/",
            "Sources/MasterTesting/Server/",
            "Sources/MasterYAML/", "Tests/MasterHTTPTests/",
            "Tests/MasterRuntimeTests/LocalWorker/", "Tests/MasterYAMLTests/",
        ]
        let word = try Regex("\\b\(Self.dangerousWord)\\b")
        for path in try await Checkout.trackedFiles()
        where path.hasSuffix(".swift") && !wrappers.contains(where: path.hasPrefix) {
            #expect(try !Checkout.text(of: path).contains(word), "\(path)")
        }
    }

    @Test func `what works on Linux alone is listed`() async throws {
        let page = try Checkout.text(of: "Sources/MasterKit/MasterKit.docc/Platforms.md")
        let listed = Set(page.matches(of: /`(Sources\/[^`]+\.\w+)`/).map { String($0.1) })
        let linux = try Regex(
            #"/proc\b|\b(CLONE_|SYS_|SOCK_(SEQPACKET|CLOEXEC)|MSG_NOSIGNAL|O_(TMPFILE|PATH)\b"#
                + #"|(accept4|copy_file_range|epoll_\w+|eventfd|fdatasync|inotify_\w+|mallopt"#
                + #"|memfd_create|openat2|pidfd_\w+|pipe2|prctl|renameat2|sendfile|signalfd"#
                + #"|splice|statx|timerfd_\w+)\()"#)
        var found: Set<String> = []
        for path in try await Checkout.trackedFiles()
        where path.hasPrefix("Sources/") && !path.hasSuffix(".md") {
            let code = try Checkout.lines(of: path).filter {
                !$0.drop { $0 == " " }.hasPrefix("//")
            }
            if code.contains(where: { $0.contains(linux) }) { found.insert(String(path)) }
        }
        #expect(found == listed)
    }

    @Test func `plugins of this package see of it what those of others do`() async throws {
        let package = try Checkout.text(of: "Package.swift")
        for path in ["Plugins", "Examples/CustomMaster"] {
            let target = package.split(separator: "arget(").filter {
                $0.contains("path: \"\(path)\"")
            }
            #expect(target.count == 1 && target[0].contains("packageAccess: false"), "\(path)")
            for file in try await Checkout.trackedFiles()
            where file.hasPrefix("\(path)/") && file.hasSuffix(".swift") {
                #expect(try !Checkout.text(of: file).contains("@testable"), "\(file)")
            }
        }
    }

    @Test func `no source file is longer than 400 lines`() async throws {
        for path in try await Checkout.trackedFiles() where path.hasSuffix(".swift") {
            #expect(try Checkout.lines(of: path).count <= 401, "\(path)")
        }
    }

    @Test func `no test is skipped, disabled or known to fail`() async throws {
        let excuses = [".dis" + "abled(", ".en" + "abled(if", "withKnown" + "Issue"]
        for path in try await Checkout.trackedFiles()
        where path.hasPrefix("Tests/") && path.hasSuffix(".swift") {
            let text = try Checkout.text(of: path)
            #expect(excuses.filter(text.contains) == [], "\(path)")
        }
    }

    @Test func `no file names a place on somebody's machine, or work that is left to do`()
        async throws
    {
        let homes = try Regex(#"(^|[^\w.~:/-])/(home/\w|root/|Users/\w)"#)
        let marks = try Regex("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b")
        for path in try await Checkout.trackedFiles() where Self.isText(path) {
            let text = try Checkout.text(of: path)
            #expect(!text.contains(Checkout.folder), "\(path)")
            #expect(!text.contains(homes), "\(path)")
            #expect(!text.contains(marks), "\(path)")
        }
    }

    @Test func `every file that code, comments and pages name is there`() async throws {
        let folders = ["Sources/", "Tests/", "Plugins/", "Examples/", "Benchmarks/", ".ci/"]
        let page = /<doc:([A-Za-z]+)[\/>]/
        let place = /[\w\/+-][\w.\/+-]*\w|\.ci\/\w+/
        let files = try await Checkout.trackedFiles()
        for path in files where Self.isText(path) {
            for line in try Checkout.lines(of: path) {
                guard line.utf8.contains(UInt8(ascii: "/")) || line.contains(".md") else {
                    continue
                }
                var missing = line.matches(of: page).map { "MasterKit.docc/\($0.1).md" }
                missing += line.matches(of: place).map { String($0.0) }
                    .filter { $0.hasSuffix(".md") || folders.contains(where: $0.hasPrefix) }
                missing.removeAll { name in
                    files.contains { "/\($0)/".contains("/\(name)/") }
                }
                #expect(missing == [], "\(path)")
            }
        }
    }

    /// Whether a file is human-readable text; fixtures contain arbitrary bytes.
    private static func isText(_ path: String) -> Bool {
        !path.contains("/Fixtures/")
    }
}
