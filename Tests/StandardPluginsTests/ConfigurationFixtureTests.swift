import Testing

struct ConfigurationFixtureTests {
    @Test(arguments: try ConfigurationFixture.names())
    func `every mistake of a file is said with its place`(_ name: String) throws {
        let fixture = try ConfigurationFixture(name)
        #expect(fixture.found.sorted() == fixture.expected.sorted())
    }

    @Test func `there are files with and without mistakes`() throws {
        let counts = try ConfigurationFixture.names().map {
            try ConfigurationFixture($0).expected.count
        }
        #expect(counts.count > 10)
        #expect(counts.contains(0))
    }
}
