import MasterKit
import Synchronization

/// What a letter that comes back changes.
extension Sending {
    /// How long a receiver that was there a moment ago is waited for while a run ends.
    static let drainingDelay: Duration = .seconds(2)

    func land(_ letter: Letter, _ sent: SentLetter) {
        let now = environment.clock.elapsed
        let isNews = state.withLock { state in
            if let receiver = sent.receiver { state.receiver = receiver }
            switch sent.outcome {
            case .delivered:
                noteThere(now, in: &state)
                state.letters.remove(letter)
            case .dead:
                state.letters.remove(letter)
            case .again(let delay, _):
                if sent.hindrance == nil {
                    state.unanswered.insert(letter.lane)
                } else {
                    state.isAway = true
                }
                putBack(letter, sent, dueAfter: delay, now, in: &state)
            case .closed:
                state.isClosed = true
                putBack(letter, sent, dueAfter: .zero, now, in: &state)
            }
            defer { state.lastReason = sent.outcome.reason }
            return state.lastReason != sent.outcome.reason
        }
        environment.tally.note(sent.outcome)
        say(sent.outcome, isNews: isNews)
    }

    private func putBack(
        _ letter: Letter,
        _ sent: SentLetter,
        dueAfter delay: Duration,
        _ now: Duration,
        in state: inout State
    ) {
        var letter = letter
        letter.attempts += 1
        letter.hindrance = sent.hindrance
        letter.due = now + delay
        if state.isDraining { hurry(&letter, now) }
        state.letters.putBack(letter)
    }

    /// What waits for a receiver to come back is due once it has taken something.
    private func noteThere(_ now: Duration, in state: inout State) {
        let wasAway = state.lastReason != nil || !state.isThere
        state.isThere = true
        state.isAway = false
        guard wasAway, state.letters.waitingHeads.contains(where: { $0.hindrance == .absence })
        else { return }
        state.letters.changeWaitingHeads { letter in
            guard letter.hindrance == .absence else { return }
            letter.due = min(letter.due, now)
        }
    }

    private func hurry(_ letter: inout Letter, _ now: Duration) {
        guard letter.hindrance == .absence, recipient.schedule.isStandard else { return }
        letter.due = min(letter.due, now + Self.drainingDelay)
    }

    /// Says why a report did not arrive; the same reason again and again only at debug level.
    private func say(_ outcome: DeliveryOutcome, isNews: Bool) {
        guard let reason = outcome.reason else { return }
        let end =
            switch outcome {
            case .delivered: ""
            case .again: "; it is kept and tried again"
            case .dead: "; it is not tried again"
            case .closed: "; nothing more is sent there"
            }
        environment.logger.log(
            level: isNews ? .warning : .debug,
            "a report of \(recipient.name) was not delivered: \(reason)\(end)"
        )
    }
}

/// How a run ends.
extension Sending {
    /// Looks more often from now on whether a receiver has come back.
    func beginDraining() {
        let now = environment.clock.elapsed
        state.withLock { state in
            state.isDraining = true
            state.letters.changeWaitingHeads { hurry(&$0, now) }
        }
        wake.raise()
    }

    /// Whether nothing is on its way and nothing is worth waiting for until a moment.
    ///
    /// - Parameters:
    ///   - moment: The end of the time there is.
    ///   - isPatient: Whether every try before it is worth waiting for. If not, a receiver that was
    ///     never there in this run is not waited for, nor one that refuses.
    /// - Returns: Whether the sending may be stopped now.
    func isSettled(until moment: Duration, isPatient: Bool) -> Bool {
        let now = environment.clock.elapsed
        return state.withLock { state in
            guard state.letters.underWay == 0 else { return false }
            guard !state.isClosed, !state.hasFailed, let due = state.letters.nextDue,
                due <= moment
            else { return true }
            guard due > now, !isPatient else { return false }
            return !state.letters.waitingHeads.contains { letter in
                letter.due <= moment && letter.hindrance != .refusal
                    && (letter.hindrance != .absence || state.isThere)
            }
        }
    }
}
