import CLibCurl

extension Transfer {
    /// When the transfer must be looked at again; it cannot be overdue before.
    var nextDeadline: ContinuousClock.Instant {
        let silence = silenceDeadline ?? clock.now + job.spec.timeout.silence
        return [connectDeadline, job.spec.deadline].compactMap(\.self).reduce(silence, min)
    }

    /// Why the transfer must end now, if it must.
    var overdue: HTTPError? {
        let now = clock.now
        if let deadline = job.spec.deadline, deadline <= now {
            return .totalTimeout(job.spec, mayHaveArrived: mayHaveArrived)
        }
        if let deadline = connectDeadline, deadline <= now {
            return error(CURLE_OPERATION_TIMEDOUT)
        }
        guard let deadline = silenceDeadline, deadline <= now else { return nil }
        return .silenceTimeout(job.spec)
    }

    /// When the connection must stand; `nil` once it does.
    private var connectDeadline: ContinuousClock.Instant? {
        guard easy.timeUntilSending == .zero else { return nil }
        return startedAt + job.spec.timeout.connect
    }

    /// When silence has lasted too long; never while the receiver of the body holds it up.
    private var silenceDeadline: ContinuousClock.Instant? {
        guard !progress.isPaused, let last = lastActivity else { return nil }
        return last + job.spec.timeout.silence
    }
}

extension Transfer {
    /// Whether a byte of the request itself was sent.
    var mayHaveArrived: Bool {
        job.spec.isObserved ? progress.hasSent : easy.hasBegunToSend
    }

    /// When a byte last passed, or, if none was seen, when the connection stood.
    private var lastActivity: ContinuousClock.Instant? {
        if let last = progress.lastActivity { return last }
        guard !job.spec.isObserved, easy.hasBegunToSend else { return nil }
        return startedAt + easy.timeUntilSending
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, none when it is over; at most a day.
    var millisecondsUp: Int {
        self <= .zero ? 0 : curlMilliseconds
    }

    /// Whole milliseconds, at least one, as libcurl takes them; at most a day.
    var curlMilliseconds: Int {
        if self <= .zero { return 1 }
        guard self < .seconds(86_400) else { return 86_400_000 }
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000) + 1
    }
}
