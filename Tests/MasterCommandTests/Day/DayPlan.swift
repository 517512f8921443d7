import FoundationEssentials

/// What is pushed, and when, by a seed. Times are seconds since 1970.
struct DayPlan {
    /// How the master learns of a push.
    enum Way: String, CaseIterable {
        /// A hook of GitHub, with one or two commits.
        case github
        /// A hook of GitLab.
        case gitlab
        /// A form that a script sends.
        case base
        /// The poller finds it in the repository.
        case repository
    }

    struct Push {
        let index: Int
        let at: Int
        let way: Way
        let branch: String
        let commitCount: Int
    }

    /// 02:00 in Berlin, on the day before summer time begins.
    static let start = seconds("2026-03-28T01:00:00Z")
    static let end = seconds("2026-03-30T02:00:00Z")
    /// 02:30, 08:30, 14:30 and 20:30 in Berlin. There is no 02:30 on the 29th, and the clock shows
    /// 03:00 instead.
    static let nightlies = [
        "2026-03-28T01:30:00Z", "2026-03-28T07:30:00Z", "2026-03-28T13:30:00Z",
        "2026-03-28T19:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T06:30:00Z",
        "2026-03-29T12:30:00Z", "2026-03-29T18:30:00Z", "2026-03-30T00:30:00Z",
    ].map(seconds)
    static let pushCount = 500
    /// When a hook certainly tells of a push.
    private static let hookTimes = [
        "2026-03-28T10:00:30Z", "2026-03-28T22:00:30Z", "2026-03-28T22:20:30Z",
        "2026-03-30T00:40:30Z",
    ].map(seconds)

    let seed: UInt64
    let pushes: [Push]
    /// What the rest of the day uses.
    var random: SeededNumbers

    init(seed: UInt64) {
        self.seed = seed
        random = SeededNumbers(seed: seed)
        var times: [Int] = []
        while times.count < Self.pushCount {
            let at = Int.random(in: Self.start + 300..<Self.end - 3600, using: &random)
            // Some come at once, and some while others are being built.
            for _ in 0..<Self.choice([1, 1, 1, 2, 6], &random) {
                times.append(at + Int.random(in: 0...20, using: &random))
            }
        }
        times = Array(times.prefix(Self.pushCount - Self.hookTimes.count)) + Self.hookTimes
        var pushes: [Push] = []
        for (index, at) in times.sorted().enumerated() {
            let isHook = Self.hookTimes.contains(at)
            let way = isHook ? .gitlab : Self.choice(Way.allCases, &random)
            pushes.append(
                Push(
                    index: index, at: at, way: way,
                    branch: Self.choice(["main", "main", "next"], &random),
                    commitCount: way == .base ? 1 : Int.random(in: 1...2, using: &random)))
        }
        self.pushes = pushes
    }

    private static func choice<Item>(_ items: [Item], _ random: inout SeededNumbers) -> Item {
        items[Int.random(in: items.indices, using: &random)]
    }

    static func seconds(_ text: String) -> Int {
        do {
            return Int(try Date(text, strategy: .iso8601).timeIntervalSince1970)
        } catch {
            fatalError("\(error)")
        }
    }
}

/// Random numbers that are the same in each run.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// A commit that the master has been told of.
struct DayCommit {
    let revision: String
    let branch: String
    /// Whether the poller finds it.
    let isPolled: Bool
}
