extension Transfer {
    /// Notes that bytes passed since the loop last looked.
    func noteActivity(at now: ContinuousClock.Instant) {
        progress.isActive = false
        if progress.mayHaveArrived { progress.lastActivity = now }
    }

    /// When the transfer must be looked at again, as far as is known now.
    var nextDeadline: ContinuousClock.Instant? {
        let silence = silenceDeadline
        guard let deadline = job.spec.deadline else { return silence }
        return silence.map { min($0, deadline) } ?? deadline
    }

    /// Why the transfer must end now, if it must.
    func overdue(at now: ContinuousClock.Instant) -> HTTPError? {
        if let deadline = job.spec.deadline, deadline <= now {
            return HTTPError.totalTimeout(job.spec, mayHaveArrived: progress.mayHaveArrived)
        }
        guard let deadline = silenceDeadline, deadline <= now else { return nil }
        return HTTPError.silenceTimeout(job.spec)
    }

    /// When silence has lasted too long; never while the receiver of the body holds it up.
    private var silenceDeadline: ContinuousClock.Instant? {
        guard !progress.isPaused, let last = progress.lastActivity else { return nil }
        return last + job.spec.timeout.silence
    }
}

extension Duration {
    /// Whole milliseconds, at least one, as libcurl takes them; at most a day.
    var curlMilliseconds: Int {
        if self <= .zero { return 1 }
        guard self < .seconds(86_400) else { return 86_400_000 }
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000) + 1
    }
}
