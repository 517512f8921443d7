import Greeter
import Testing

@Test func `somebody is greeted by name`() {
    #expect(greeting(for: "Ada") == "Hello, Ada!")
}

@Test func `nobody is greeted all the same`() {
    #expect(greeting(for: "") == "Hello!")
}
