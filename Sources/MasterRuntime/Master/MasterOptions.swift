internal import FoundationEssentials
package import MasterKit

extension Master {
    /// Options for running a master, in addition to its file.
    package struct Options: Sendable {
        /// The folder for the store, logs and build folders; an absolute path.
        package let basedir: String
        /// The number of concurrent builds.
        package let slots: Int
        /// Whether requests that are pending when the master exits are built by the next one.
        package let resumesRequests: Bool
        /// Whether builds run on the workers of the file; otherwise on the master's machine.
        package var usesWorkers: Bool
        package var aids = DeveloperAids()
        /// The clock of services, schedulers, deliveries and records.
        package var time: any WallClock = SystemWallClock()
        /// The servers, in the order in which they are prepared.
        package var servers: [any MasterServer] = []

        /// Creates options.
        ///
        /// - Parameters:
        ///   - basedir: The base folder; a relative path refers to the current folder.
        ///   - slots: The number of concurrent builds, at least 1; by default one per core.
        ///   - resumesRequests: Whether pending requests are built by the next master.
        package init(basedir: String, slots: Int? = nil, resumesRequests: Bool = false) {
            self.basedir = FilePaths.absolute(basedir)
            self.slots = slots ?? ProcessInfo.processInfo.activeProcessorCount
            self.resumesRequests = resumesRequests
            usesWorkers = resumesRequests
            precondition(self.slots > 0, "a master needs at least one slot")
        }
    }
}
