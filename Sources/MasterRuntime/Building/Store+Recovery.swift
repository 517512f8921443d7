internal import GRDB
internal import MasterKit

extension Store {
    /// Ends what a master that crashed left: running builds end as exception, so that whoever
    /// heard of their start hears of their end; requests that none had begun are cancelled.
    func endInterrupted(reason: String) async throws(StoreError) {
        try await write { transaction in
            for build in try Build.unfinished(in: transaction.database) {
                try transaction.endSteps(of: build.id, reason: reason)
                try transaction.finishBuild(
                    build.id, results: .exception, stateString: "exception (\(reason))",
                    properties: build.properties)
            }
            for request in try BuildRequest.pending(in: transaction.database) {
                try transaction.cancelRequest(request.id)
            }
        }
    }
}

extension StoreTransaction {
    fileprivate func endSteps(of buildID: Int, reason: String) throws {
        for step in try StepRecord.all(ofBuild: buildID, in: database) where step.results == nil {
            try finishStep(
                step.id, results: .exception, stateString: "exception (\(reason))")
        }
    }
}
