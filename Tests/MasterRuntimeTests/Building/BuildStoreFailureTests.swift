import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Builds during which the store fails.
struct BuildStoreFailureTests {
    private static let yaml = """
        builders:
          - name: one
            steps:
              - steps.Play: $break
              - steps.Play: $after
              - steps.Play: {script: $after, alwaysRun: true}
          - {name: two, steps: [steps.Play: $after]}
        """

    @Test func `a disk that fills up ends the run with one clear error and no hang`() async throws {
        let ran = Journal<String>()
        try await MasterBench.with(
            Self.yaml,
            scripts: [
                "break": { context in
                    ran.add("break")
                    for _ in 1...200 {
                        let value = String(repeating: "x", count: 100_000)
                        try await context.setProperty("big", to: .string(value))
                    }
                    return .success
                },
                "after": { context in
                    ran.add("after")
                    return .success
                },
            ]
        ) { bench in
            let error = await #expect(throws: StoreError.self) {
                try await bench.run(slots: 1) { master in
                    try await master.limitStore()
                    return try await master.build()
                }
            }
            #expect(error?.code == .full)
            #expect(error?.message.contains(bench.basedir) == true)
            #expect(ran.entries == ["break"])
            #expect(bench.messages.texts(at: .error).count <= 1)
        }
    }
}

extension Master {
    /// Prevents the store from growing, like a full disk.
    fileprivate func limitStore() async throws {
        try await environment.store.write { transaction in
            let count = try Int.fetchOne(transaction.database, sql: "PRAGMA page_count") ?? 0
            try transaction.database.execute(sql: "PRAGMA max_page_count = \(count + 20)")
        }
    }
}
