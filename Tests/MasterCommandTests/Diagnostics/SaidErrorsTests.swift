import Testing

@testable import MasterCommand

struct SaidErrorsTests {
    @Test func `a sentence is known when a message held it`() {
        let said = SaidErrors()
        said.note("nothing more is sent to Push: the disk is full")
        #expect(said.contain("the disk is full"))
        #expect(!said.contain("the disk is gone"))
    }

    @Test func `only the last messages are remembered`() {
        let said = SaidErrors()
        said.note("the first")
        for number in 1...64 { said.note("message \(number)") }
        #expect(!said.contain("the first"))
        #expect(said.contain("message 64"))
    }
}
