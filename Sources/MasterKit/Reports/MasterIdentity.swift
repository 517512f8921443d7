/// What a master is called and where it is found.
public struct MasterIdentity: Sendable, Hashable {
    /// The title.
    public var title: String
    /// The address of what the title stands for.
    public var titleURL: String
    /// The address of the master, ending in `/`.
    public var buildbotURL: String

    /// Makes an identity.
    public init(
        title: String = "Buildmaster", titleURL: String = "http://localhost:8080/",
        buildbotURL: String = "http://localhost:8080/"
    ) {
        self.title = title
        self.titleURL = titleURL
        self.buildbotURL = buildbotURL
    }

    /// The address of a build.
    public func url(ofBuild number: Int, builderID: Int) -> String {
        "\(buildbotURL)#/builders/\(builderID)/builds/\(number)"
    }

    /// The address of a build request.
    public func url(ofRequest id: Int) -> String {
        "\(buildbotURL)#/buildrequests/\(id)"
    }
}
