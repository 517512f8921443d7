internal import GRDB
internal import MasterKit

extension StoreTransaction {
    /// Adds an event of a build, with the whole record of it when somebody wants one.
    func append(_ kind: EventKind, of build: Build) throws {
        guard wanted.contains(kind) else { return }
        let facts = try facts(ofBuild: build.id)
        try append(kind, lane: build.requestID, build: facts) { try record(of: build) }
    }

    /// The build as reports see it: the data API's record with all that surrounds the build.
    private func record(of build: Build) throws -> JSONObject {
        guard let request = try BuildRequest.find(build.requestID, in: database) else {
            throw missing("build request", build.requestID)
        }
        guard let buildset = try Buildset.find(request.buildsetID, in: database) else {
            throw missing("buildset", request.buildsetID)
        }
        let parent = try buildset.parentBuildID.flatMap { try Build.find($0, in: database) }
        let builder = try knownBuilder(build.builderID)
        var record = build.json
        record["buildrequest"] = .object(request.json)
        record["buildset"] = .object(buildset.json)
        record["parentbuild"] = parent.map { .object($0.json) } ?? .null
        record["parentbuilder"] =
            try parent.map {
                .object(try knownBuilder($0.builderID).json)
            } ?? .null
        record["builder"] = .object(builder.json)
        record["url"] = .string(identity.url(ofBuild: build.number, builderID: builder.id))
        return record
    }

    private func knownBuilder(_ id: Int) throws -> Builder {
        let found = try cache.builder(id) { try Builder.find(id, in: database) }
        guard let builder = found else { throw missing("builder", id) }
        return builder
    }
}

extension MasterIdentity {
    /// The address of a build.
    func url(ofBuild number: Int, builderID: Int) -> String {
        "\(buildbotURL)#/builders/\(builderID)/builds/\(number)"
    }
}
