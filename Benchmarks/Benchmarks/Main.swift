import Foundation

/// Runs the named benchmarks, or all of them, and prints a table.
///
/// The exit status is 0 if every bar is met, 1 if one is missed, and 2 if nothing was measured.
@main
struct Main {
    static func main() async {
        let names = Array(CommandLine.arguments.dropFirst())
        let unknown = names.filter { name in !Benchmark.all.contains { $0.name == name } }
        guard unknown.isEmpty else {
            let known = Benchmark.all.map { "\n  \($0.name)  \($0.summary)" }.joined()
            complain("there is no \(unknown.joined(separator: ", ")); there are\(known)")
            exit(2)
        }
        do {
            let chosen = Benchmark.all.filter { names.isEmpty || names.contains($0.name) }
            let rows = try await measure(chosen)
            print(Table(rows))
            exit(rows.allSatisfy(\.isMet) ? 0 : 1)
        } catch {
            complain("\(error)")
            exit(2)
        }
    }

    /// Runs the benchmarks and removes all files they created.
    private static func measure(_ benchmarks: [Benchmark]) async throws -> [Row] {
        let outcome: Result<[Row], any Error>
        do {
            var rows: [Row] = []
            for benchmark in benchmarks {
                complain("measuring \(benchmark.name) …")
                rows += try await benchmark.measure()
            }
            outcome = .success(rows)
        } catch {
            outcome = .failure(error)
        }
        try Scratch.removeAll()
        return try outcome.get()
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
}
