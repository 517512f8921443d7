/// A benchmark.
struct Benchmark: Sendable {
    let name: String
    let summary: String
    let measure: @Sendable () async throws -> [Row]

    /// All benchmarks, in the order in which they run.
    static let all = [
        requestSteps, events, builds, commands, output, posts, programs,
        growth,
    ]
}
