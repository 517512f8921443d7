import MasterKit

extension StepOptions {
    /// The options of steps that send a request.
    static var request: StepOptions {
        var options = StepOptions()
        options.description = Renderable(Words("Requesting"))
        options.descriptionDone = Renderable(Words("Requested"))
        return options
    }
}
