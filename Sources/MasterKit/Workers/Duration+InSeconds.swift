extension Duration {
    /// The duration in words: `1 second`, `1200 seconds`, `0.25 seconds`.
    package var inSeconds: String {
        let (seconds, attoseconds) = components
        if attoseconds == 0 { return seconds == 1 ? "1 second" : "\(seconds) seconds" }
        return "\(self / .seconds(1)) seconds"
    }
}
