import Foundation
import MasterKit
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(2)))
struct CMakeTests {
    private static let cores = ProcessInfo.processInfo.activeProcessorCount

    @Test(arguments: [
        (
            "{}",
            [
                "cmake -S . -B build", "cmake --build build --parallel \(cores)",
                "ctest --test-dir build --output-on-failure",
            ]
        ),
        (
            """
            {buildType: Release, generator: Ninja, definitions: {A: 1, B: !Property b},
             source: src, build: out, targets: [app, lib], jobs: 3, testArguments: [-R, fast]}
            """,
            [
                "cmake -S src -B out -G Ninja -DCMAKE_BUILD_TYPE=Release -DA=1 -DB=two",
                "cmake --build out --parallel 3 --config Release --target app lib",
                "ctest --test-dir out --output-on-failure -C Release -R fast",
            ]
        ),
        ("{test: false}", ["cmake -S . -B build", "cmake --build build --parallel \(cores)"]),
    ])
    func `the commands are those that one would type`(
        _ settings: String, _ commands: [String]
    ) async throws {
        let run = try await FactoryRun.load(
            "{factories.CMake: \(settings)}", properties: "{b: two}")
        #expect(try run.commands() == commands)
    }

    /// A project that needs no compiler.
    private static let project = """
        cmake_minimum_required(VERSION 3.13)
        project(sample NONE)
        enable_testing()
        add_custom_target(all_files ALL COMMAND ${CMAKE_COMMAND} -E touch made)
        add_test(NAME good COMMAND ${CMAKE_COMMAND} -E true)
        add_test(NAME bad COMMAND ${CMAKE_COMMAND} -E ${OUTCOME})
        """

    @Test(arguments: [("true", "2 tests"), ("false", "2 tests, 1 failed (failure)")])
    func `a real project is built, and its tests are counted`(
        _ outcome: String, _ state: String
    ) async throws {
        let states = try await FactoryRun.run(
            "{factories.CMake: {definitions: {OUTCOME: !Property outcome}}}",
            properties: "{outcome: '\(outcome)'}", files: ["CMakeLists.txt": Self.project])
        #expect(
            states == [
                "configure: 'cmake -S . ...'", "build: 'cmake --build build ...'", "test: \(state)",
            ])
    }

    @Test(arguments: [
        ("{jobs: 0}", "'jobs' of factories.CMake must be a whole number from 1, not the number 0"),
        ("{buildtype: x}", "factories.CMake has no setting 'buildtype'; did you mean 'buildType'?"),
        (
            "{definitions: {!Property a: b}}",
            "'definitions' of factories.CMake must be a mapping whose names are plain texts"
        ),
    ])
    func `mistakes are found at the factory`(_ settings: String, _ message: String) async throws {
        #expect(try await FactoryRun.mistakes("{factories.CMake: \(settings)}") == [message])
    }
}
