import Testing

@testable import MasterCommand

struct StringColumnsTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("🚀", 2), ("a\u{200D}b", 2),
        ("👨‍👩‍👧", 2), ("🇩🇪", 2), ("⚠️", 2), ("각", 2),
    ])
    func `a text is as wide as a terminal shows it`(text: String, columns: Int) {
        #expect(text.columns == columns)
    }

    @Test(arguments: [
        ("abc", 5, "abc  "), ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 5, "日本…"),
        ("日本語", 4, "日… "), ("abc", 1, "…"), ("abc", 0, ""),
    ])
    func `a text is fitted to a width`(text: String, width: Int, fitted: String) {
        #expect(text.fitted(to: width) == fitted)
        #expect(text.fitted(to: width).columns == width)
    }

    @Test(arguments: [
        ("'make all': exit 2", 11, "'make…xit 2"), ("abc", 3, "abc"), ("日本語日本語", 7, "日本…語"),
        ("abcdef", 2, "a…"),
    ])
    func `the middle of a text can be left out`(text: String, width: Int, cut: String) {
        #expect(text.cutInMiddle(to: width) == cut)
    }

    @Test func `where dots are the ellipsis they need three columns`() {
        #expect("abcdef".cut(to: 5, ellipsis: "...") == "ab...")
        #expect("abcdef".cut(to: 2, ellipsis: "...") == "")
    }

    @Test func `what would disturb a terminal is made visible`() {
        let text = "a\u{1B}[31m\u{7}\u{9B}\u{202E}b\tc\r"
        let shown = text.makingControlsVisible()
        #expect(shown == #"a\u{1B}[31m\u{07}\u{009B}\u{202E}b    c\r"#)
        #expect("a\tb".makingControlsVisible(keepingTabs: true) == "a\tb")
    }
}
