/// A signal in words: `signal 9 (SIGKILL)`.
struct SignalName: CustomStringConvertible {
    private static let names: [Int32: String] = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT",
        7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2",
        13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
    ]

    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    var description: String {
        guard let name = Self.names[number] else { return "signal \(number)" }
        return "signal \(number) (\(name))"
    }
}
