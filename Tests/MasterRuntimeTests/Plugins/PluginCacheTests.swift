import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

struct PluginCacheTests {
    private static let manifest = "// swift-tools-version: 6.2\n"

    /// Runs a closure with the cache of a base folder, and a package in it.
    private static func withCache(
        _ body: (PluginCache, PluginSource) throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try folder.write(manifest, to: "own/Package.swift")
            let source = PluginSource(name: "own", path: "\(folder.path)/own")
            try body(PluginCache(basedir: "\(folder.path)/base"), source)
        }
    }

    /// Writes a library of some bytes for a program, with a date.
    private static func addLibrary(
        _ cache: PluginCache, _ source: PluginSource, for program: String, _ name: String,
        hoursAgo: Int
    ) throws -> String {
        let library = "\(cache.folder(of: source))/lib\(name).so"
        try FileManager.default.createDirectory(
            atPath: cache.folder(of: source), withIntermediateDirectories: true)
        try Data("library".utf8).write(to: URL(filePath: library))
        let record = PluginRecord(host: PluginHost(swift: "6.3", masterKit: program), keys: [])
        let text = JSONWriter.compact.string(record.json)
        try Data(text.utf8).write(to: URL(filePath: PluginRecord.path(of: library)))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: Double(-hoursAgo * 3600))],
            ofItemAtPath: library)
        return library
    }

    @Test func `programs that share a base folder keep their libraries, the last four of them`()
        async throws
    {
        try await Self.withCache { cache, source in
            let old = try (1...6).map { number in
                try Self.addLibrary(
                    cache, source, for: "program\(number)", "\(number)", hoursAgo: number)
            }
            let older = try Self.addLibrary(cache, source, for: "program1", "1-older", hoursAgo: 9)
            let own = try Self.addLibrary(cache, source, for: "own", "own-older", hoursAgo: 1)
            let new = try Self.addLibrary(cache, source, for: "own", "own", hoursAgo: 0)
            // Another process writes it at this moment.
            let unfinished = "\(cache.folder(of: source))/libunfinished.so"
            try Data("library".utf8).write(to: URL(filePath: unfinished))
            try cache.removeLibraries(of: source, replacedBy: new)
            let kept = try Set(
                FileManager.default.contentsOfDirectory(atPath: cache.folder(of: source)))
            let names = (old[..<3] + [new, unfinished]).map {
                String($0.split(separator: "/").last ?? "")
            }
            #expect(kept.filter { $0.hasSuffix(".so") } == Set(names))
            #expect(kept.count { $0.hasSuffix(".json") } == 4)
            #expect(!kept.contains(where: { older.hasSuffix($0) || own.hasSuffix($0) }))
        }
    }

    @Test func `a library without a record is removed when no one can still be writing it`()
        async throws
    {
        try await Self.withCache { cache, source in
            let new = try Self.addLibrary(cache, source, for: "own", "own", hoursAgo: 0)
            let left = try Self.addLibrary(cache, source, for: "other", "left", hoursAgo: 2)
            try FileManager.default.removeItem(atPath: PluginRecord.path(of: left))
            try cache.removeLibraries(of: source, replacedBy: new)
            #expect(!FileManager.default.fileExists(atPath: left))
            #expect(FileManager.default.fileExists(atPath: new))
        }
    }

    @Test func `a record without its library is not a built library`() async throws {
        try await Self.withCache { cache, source in
            let host = PluginHost(swift: "6.3", masterKit: "own")
            guard case .missing(let library) = try cache.state(of: source, for: host) else {
                Issue.record("there is a library")
                return
            }
            let name = String(library.split(separator: "/").last?.dropFirst(3).dropLast(3) ?? "")
            let made = try Self.addLibrary(cache, source, for: "own", name, hoursAgo: 0)
            #expect(try cache.state(of: source, for: host) == .built(library: made))
            try FileManager.default.removeItem(atPath: made)
            #expect(try cache.state(of: source, for: host) == .missing(library: made))
        }
    }

    @Test func `the folder of a killed build is removed by the next one, that of a running is not`()
        async throws
    {
        try await Self.withCache { cache, source in
            let running = try cache.makeBuildFolder(of: source)
            try Data("object".utf8).write(to: URL(filePath: "\(running.path)/a.o"))
            // A killed process leaves a folder that no one has locked.
            let killed = "\(cache.folder(of: source))/building-killed"
            try FileManager.default.createDirectory(
                atPath: killed, withIntermediateDirectories: false)
            try Data("object".utf8).write(to: URL(filePath: "\(killed)/a.o"))
            let next = try cache.makeBuildFolder(of: source)
            #expect(!FileManager.default.fileExists(atPath: killed))
            #expect(FileManager.default.fileExists(atPath: "\(running.path)/a.o"))
            try running.remove()
            try next.remove()
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: cache.folder(of: source)) == [])
        }
    }
}
