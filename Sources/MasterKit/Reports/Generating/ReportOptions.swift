/// What a generator adds to what a formatter wants.
public struct ReportOptions: Sendable, Hashable {
    /// The modes by which the generator picked the event; formatters speak accordingly.
    public var modes: ReportModes
    /// Which logs come with their content, in place of the formatter's choice.
    public var logContents: BuildDetails.LogContents?
    /// Whether the report has the patches of the sources.
    public var addsPatches: Bool

    /// Makes options.
    public init(
        modes: ReportModes = .none, logContents: BuildDetails.LogContents? = nil,
        addsPatches: Bool = false
    ) {
        self.modes = modes
        self.logContents = logContents
        self.addsPatches = addsPatches
    }
}
