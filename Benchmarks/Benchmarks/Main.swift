import Foundation

/// Runs the benchmarks whose names are given, or all, and prints a table.
///
/// The exit status is 0 when every bar is met, 1 when one is missed, 2 when nothing was measured.
@main
struct Main {
    static func main() async {
        let names = Array(CommandLine.arguments.dropFirst())
        let unknown = names.filter { name in !Benchmark.all.contains { $0.name == name } }
        guard unknown.isEmpty else {
            let known = Benchmark.all.map { "  \($0.name)  \($0.summary)" }
            complain("there is no \(unknown.joined(separator: ", ")); there are\n" + known.lines)
            exit(2)
        }
        let chosen = Benchmark.all.filter { names.isEmpty || names.contains($0.name) }
        var rows: [Row] = []
        for benchmark in chosen {
            complain("measuring \(benchmark.name) …")
            do {
                rows += try await benchmark.measure()
            } catch {
                complain("\(benchmark.name): \(error)")
                exit(2)
            }
        }
        print(Table(rows))
        exit(rows.allSatisfy(\.isMet) ? 0 : 1)
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
}

extension [String] {
    fileprivate var lines: String { joined(separator: "\n") }
}
