import Testing

/// The files beside `Examples/Service/master.yaml` that run it as a service.
struct ServiceFilesTests {
    @Test func `the container has every library whose headers the build needs`() throws {
        let setup = try Checkout.text(of: ".ci/setup")
        let container = try Checkout.text(of: "Examples/Service/Containerfile")
        let libraries = setup.matches(of: /lib([a-z]+)[a-z0-9-]*-dev|zlib1g-dev/).map {
            $0.1.map { "lib\($0)" } ?? "zlib1g"
        }
        #expect(libraries.count == 7)
        for name in libraries {
            #expect(container.contains(" \(name)"), "the container lacks \(name)")
        }
    }

    @Test func `process 1 of the container collects processes, which the master does not`() throws {
        let container = try Checkout.text(of: "Examples/Service/Containerfile")
        #expect(container.contains(" tini "))
        #expect(container.contains(#"ENTRYPOINT ["tini", "--", "buildmaster", "start", "#))
    }
}
