internal import GRDB
internal import MasterKit

extension StoreTransaction {
    /// Adds an event of a build, with the whole record of it when somebody wants one.
    func append(_ kind: EventKind, of running: RunningBuild) throws {
        try append(kind, lane: running.build.requestID, build: running) {
            try record(of: running.build)
        }
    }

    /// The build as reports see it: the data API's record with all that surrounds the build.
    private func record(of build: Build) throws -> JSONObject {
        let request = try request(build.requestID)
        let buildset = try buildset(request.buildsetID)
        let builder = try builder(build.builderID)
        let parent = try buildset.parentBuildID.flatMap { try Build.find($0, in: database) }
        var record = build.json
        record["buildrequest"] = .object(request.json)
        record["buildset"] = .object(buildset.json)
        record["parentbuild"] = parent.map { .object($0.json) } ?? .null
        record["parentbuilder"] =
            try parent.map {
                .object(try self.builder($0.builderID).json)
            } ?? .null
        record["builder"] = .object(builder.json)
        record["url"] = .string(identity.url(ofBuild: build.number, builderID: builder.id))
        return record
    }
}

extension MasterIdentity {
    /// The address of a build.
    func url(ofBuild number: Int, builderID: Int) -> String {
        "\(buildbotURL)#/builders/\(builderID)/builds/\(number)"
    }
}
