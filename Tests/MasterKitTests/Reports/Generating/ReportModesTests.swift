import MasterKit
import Testing

/// The truth table of modes.
struct ReportModesTests {
    /// The results reported in a mode for each previous result, if any.
    static let table: [(ReportModes.Mode, @Sendable (Results, Results?) -> Bool)] = [
        (.failing, { results, _ in results == .failure }),
        (.passing, { results, _ in results == .success }),
        (.warnings, { results, _ in results == .warnings }),
        (.exception, { results, _ in results == .exception }),
        (.cancelled, { results, _ in results == .cancelled }),
        (.change, { results, previous in previous != nil && previous != results }),
        (
            .problem,
            { results, previous in
                results == .failure && previous != nil && previous != .failure
            }
        ),
    ]

    private static let previous: [Results?] = [nil] + Results.allCases

    @Test(arguments: ReportModes.Mode.allCases)
    func `a mode admits what its name says`(_ mode: ReportModes.Mode) throws {
        let rule = try #require(Self.table.first { $0.0 == mode }).1
        for results in Results.allCases {
            for previous in Self.previous {
                #expect(
                    ReportModes([mode]).admit(results, after: previous)
                        == rule(results, previous), "\(results) after \(Results.text(previous))")
            }
        }
    }

    @Test func `several modes admit what any of them does`() {
        for (one, _) in Self.table {
            for (other, _) in Self.table {
                for results in Results.allCases {
                    for previous in Self.previous {
                        let both = ReportModes([one, other]).admit(results, after: previous)
                        let any = [one, other].contains {
                            ReportModes([$0]).admit(results, after: previous)
                        }
                        #expect(both == any)
                    }
                }
            }
        }
    }

    @Test func `no mode admits a build that is skipped or tried again, but change`() {
        for (mode, _) in Self.table where mode != .change {
            #expect(!ReportModes([mode]).admit(.skipped, after: .success))
            #expect(!ReportModes([mode]).admit(.retry, after: .success))
        }
        #expect(ReportModes([.change]).admit(.skipped, after: .success))
    }

    @Test func `only change and problem look at what was before`() {
        let comparing = ReportModes.Mode.allCases.filter { ReportModes([$0]).comparesResults }
        #expect(comparing == [.change, .problem])
        #expect(!ReportModes.all.comparesResults)
        #expect(ReportModes.none.modes.isEmpty)
    }
}
