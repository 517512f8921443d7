internal import GRDB
internal import MasterKit

/// What surrounds a build in its record.
struct BuildSurroundings {
    let request: BuildRequest
    let buildset: Buildset
    let builder: Builder
    let parent: Build?
    let parentBuilder: Builder?

    /// The build as reports see it: the data API's record with all that surrounds the build.
    func record(of build: Build, in identity: MasterIdentity) -> JSONObject {
        var record = build.json
        record["buildrequest"] = .object(request.json)
        record["buildset"] = .object(buildset.json)
        record["parentbuild"] = parent.map { .object($0.json) } ?? .null
        record["parentbuilder"] = parentBuilder.map { .object($0.json) } ?? .null
        record["builder"] = .object(builder.json)
        record["url"] = .string(identity.url(ofBuild: build.number, builderID: builder.id))
        return record
    }
}

extension BuildSurroundings {
    /// Reads what surrounds a build.
    init(of build: Build, in database: Database) throws {
        let request = try Self.found(BuildRequest.find(build.requestID, in: database))
        let buildset = try Self.found(Buildset.find(request.buildsetID, in: database))
        let parent = try buildset.parentBuildID.flatMap { try Build.find($0, in: database) }
        self.init(
            request: request,
            buildset: buildset,
            builder: try Self.found(Builder.find(build.builderID, in: database)),
            parent: parent,
            parentBuilder: try parent.map {
                try Self.found(Builder.find($0.builderID, in: database))
            }
        )
    }

    private static func found<Record>(_ record: Record?) throws(StoreError) -> Record {
        guard let record else {
            throw StoreError(.conflict, "a build in the store has no \(Record.self) any more")
        }
        return record
    }
}
