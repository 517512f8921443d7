import Testing

@testable import MasterCommand

struct TerminalTraitsTests {
    @Test(arguments: [
        (true, ["TERM": "xterm"], true, true),
        (false, ["TERM": "xterm"], false, false),
        (true, ["TERM": "dumb"], false, false),
        (true, [:], false, false),
        (true, ["TERM": "xterm", "NO_COLOR": "1"], true, false),
        (true, ["TERM": "xterm", "NO_COLOR": ""], true, true),
        (true, ["TERM": "xterm", "CI": "true"], false, false),
        (true, ["TERM": "xterm", "CI": "false"], true, true),
    ])
    func `the environment says what a terminal is to show`(
        isTerminal: Bool, environment: [String: String], redraws: Bool, colours: Bool
    ) {
        let traits = TerminalTraits(isTerminal: isTerminal, environment: environment)
        #expect(traits.canRedraw == redraws)
        #expect(traits.hasColour == colours)
    }

    @Test(arguments: [
        (["LANG": "en_GB.UTF-8"], true),
        (["LANG": "C.utf8"], true),
        (["LANG": "C"], false),
        ([:], false),
        (["LANG": "C", "LC_CTYPE": "C.UTF-8"], true),
        (["LANG": "C.UTF-8", "LC_ALL": "POSIX"], false),
    ])
    func `the locale says which characters can be shown`(
        environment: [String: String], isUnicode: Bool
    ) {
        let traits = TerminalTraits(isTerminal: false, environment: environment)
        #expect(traits.hasUnicode == isUnicode)
    }
}
