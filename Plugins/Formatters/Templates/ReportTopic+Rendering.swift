import MasterKit

extension ReportTopic {
    /// What values of a report are computed from.
    var renderContext: RenderContext {
        RenderContext(
            properties: properties, sourceStamps: sourceStamps, results: results ?? .success,
            template: variables)
    }
}
