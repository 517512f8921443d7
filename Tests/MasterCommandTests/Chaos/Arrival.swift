import MasterKit
import MasterTesting

/// A report that has arrived, whatever the response to it.
struct Arrival: Sendable {
    /// The build: `builder #number`.
    let build: String
    /// Whether it reports the end of the build.
    let isEnd: Bool
    /// The ID of the delivery.
    let webhookID: String
    /// Whether the receiver responded with success.
    let isTaken: Bool

    init?(_ request: ReceivedRequest, isTaken: Bool) {
        guard let record = Self.record(request.body), let number = record["number"]?.intValue,
            let builder = record["builder"]?["name"]?.stringValue,
            let isEnd = record["complete"]?.boolValue,
            let webhookID = request.header("webhook-id")
        else { return nil }
        build = "\(builder) #\(number)"
        self.isEnd = isEnd
        self.webhookID = webhookID
        self.isTaken = isTaken
    }

    private static func record(_ body: [UInt8]) -> JSONValue? {
        do {
            return try JSONValue(parsing: body)
        } catch {
            return nil  // what is no report is counted
        }
    }
}

extension [Arrival] {
    /// Describes what is wrong with the reports that have arrived.
    ///
    /// - Parameter builds: All builds that were started.
    /// - Returns: One sentence per problem; empty if each start and each end was accepted, starts
    ///   arrived before ends, and all attempts to deliver a report had the same ID, unique to that
    ///   report.
    func faults(expecting builds: [String]) -> [String] {
        let byBuild = Dictionary(grouping: self, by: \.build)
        let strangers = Set(byBuild.keys).subtracting(builds).map { "\($0) was never started" }
        let ids = Set(map(\.webhookID)).count
        let doubles = ids == builds.count * 2 ? [] : ["\(ids) names for \(builds.count) builds"]
        return strangers + doubles
            + builds.flatMap { Self.faults(of: byBuild[$0] ?? []).map { "\($0)" } }
    }

    private static func faults(of arrivals: [Arrival]) -> [String] {
        guard let build = arrivals.first?.build else { return ["nothing arrived of a build"] }
        let starts = arrivals.filter { !$0.isEnd }
        let ends = arrivals.filter(\.isEnd)
        var faults: [String] = []
        if !starts.contains(where: \.isTaken) { faults.append("the start is missing") }
        if !ends.contains(where: \.isTaken) { faults.append("the end is missing") }
        let firstEnd = arrivals.firstIndex(where: \.isEnd) ?? arrivals.endIndex
        if arrivals[firstEnd...].contains(where: { !$0.isEnd }) {
            faults.append("a start came after the end")
        }
        if !arrivals[..<firstEnd].contains(where: \.isTaken) {
            faults.append("the end came before the start was taken")
        }
        for reports in [starts, ends] where Set(reports.map(\.webhookID)).count > 1 {
            faults.append("the name of a report changed")
        }
        return faults.map { "\(build): \($0)" }
    }
}
