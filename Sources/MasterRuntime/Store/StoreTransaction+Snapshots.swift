internal import GRDB
internal import MasterKit

/// The records of events, as they are at the end of the transition.
///
/// What is stored for reports has more in it than what is only read live: reports are made later,
/// when everything around may have gone on.
extension StoreTransaction {
    /// Adds an event of a build, with all that surrounds the build.
    func append(_ kind: EventKind, of running: RunningBuild) throws {
        try append(kind, lane: running.build.requestID, build: running) {
            try record(of: running.build)
        }
    }

    /// Adds an event of a step.
    func append(_ kind: EventKind, of step: StepRecord) throws {
        guard wanted.contains(kind) else { return }
        let running = try build(step.buildID)
        try append(kind, lane: running.build.requestID, build: running) {
            var record = step.json
            guard wanted.stored.contains(kind) else { return record }
            record["build"] = .object(try self.record(of: running.build))
            return record
        }
    }

    /// Adds an event of a request.
    func append(_ kind: EventKind, of request: BuildRequest) throws {
        try append(kind, lane: request.id) {
            var record = request.json
            guard wanted.stored.contains(kind) else { return record }
            record["build"] = .object(try buildToBe(of: request))
            return record
        }
    }

    /// Adds an event of a buildset.
    func append(_ kind: EventKind, of buildset: Buildset) throws {
        try append(kind, lane: buildset.lane) {
            var record = buildset.json
            guard wanted.stored.contains(kind) else { return record }
            let properties = try Buildset.properties(buildset.id, in: database)
            record["properties"] = .object(properties.json)
            return record
        }
    }

    private func record(of build: Build) throws -> JSONObject {
        let request = try request(build.requestID)
        let buildset = try buildset(request.buildsetID)
        let parent = try buildset.parentBuildID.flatMap { try Build.find($0, in: database) }
        return BuildSurroundings(
            request: request,
            buildset: buildset,
            builder: try builder(build.builderID),
            parent: parent,
            parentBuilder: try parent.map { try self.builder($0.builderID) }
        ).record(of: build, in: identity)
    }

    /// What is known of the build that a request is for.
    private func buildToBe(of request: BuildRequest) throws -> JSONObject {
        let builder = try builder(request.builderID)
        let buildset = try buildset(request.buildsetID)
        let properties = try Buildset.properties(buildset.id, in: database)
        return [
            "builder": .object(builder.json), "builderid": .int(builder.id),
            "buildrequest": .object(request.json), "buildset": .object(buildset.json),
            "complete": .bool(request.completeAt != nil),
            "properties": .object(properties.json),
            "results": .optional(request.results?.rawValue),
            "url": .string(identity.url(ofRequest: request.id)),
        ]
    }
}
