extension StepContext {
    /// Hides a secret that no provider knows in everything that is shown or stored from now on: logs,
    /// state, properties, reports.
    ///
    /// - Parameters:
    ///   - value: The secret.
    ///   - name: What is shown in its place, in angle brackets.
    /// - Throws: ``UnmaskableSecret`` when the value is too short or too long to be hidden.
    public func hide(_ value: String, as name: String) throws(UnmaskableSecret) {
        try mask.hide(value, as: name)
    }
}
