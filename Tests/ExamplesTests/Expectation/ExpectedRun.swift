import MasterKit
import Testing

/// The expected results of a run, from an `expected.json`:
///
///     {
///       "exitStatus": 0,
///       "builds": {
///         "default #1": {
///           "results": "success",
///           "stateString": "build successful",
///           "steps": [
///             {"name": "greet", "results": "success", "stateString": "'echo hello'"}
///           ]
///         }
///       },
///       "requests": [
///         {"method": "POST", "path": "/status", "contentType": "application/json",
///          "json": {"/builder/name": "default", "/results": 0}},
///         {"method": "POST", "path": "/builds", "text": "builder=default"}
///       ]
///     }
///
/// Builds may finish in any order. Requests may arrive in any order, too, except that those with
/// the same path and builder must arrive in the listed order.
struct ExpectedRun: Sendable {
    let exitStatus: Int
    let builds: [String: ExpectedBuild]
    let requests: [ExpectedRequest]

    /// Reads the expectations of an example.
    init(ofExample name: String) throws {
        let file = try JSONValue(parsing: Checkout.text(of: "Examples/\(name)/expected.json"))
        exitStatus = try #require(file["exitStatus"]?.intValue)
        let builds = try #require(file["builds"]?.objectValue)
        self.builds = try Dictionary(
            uniqueKeysWithValues: builds.map { ($0.key, try ExpectedBuild($0.value)) })
        requests = try #require(file["requests"]?.arrayValue).map { try ExpectedRequest($0) }
    }
}

/// The expected result of a build.
struct ExpectedBuild: Sendable {
    let outcome: ExpectedOutcome
    let steps: [ExpectedOutcome]

    init(_ value: JSONValue) throws {
        outcome = try ExpectedOutcome(value)
        steps = try #require(value["steps"]?.arrayValue).map { try ExpectedOutcome($0) }
    }
}

/// The expected result of a build or step.
struct ExpectedOutcome: Sendable, CustomStringConvertible {
    /// The name, for steps only.
    let name: String?
    let results: Results
    let stateString: ExpectedValue

    init(_ value: JSONValue) throws {
        name = value["name"]?.stringValue
        results = try #require(value["results"]?.stringValue.flatMap(Results.init(name:)))
        stateString = ExpectedValue(try #require(value["stateString"]))
    }

    var description: String { "\(name ?? "build") \(results.name) \(stateString)" }
}
