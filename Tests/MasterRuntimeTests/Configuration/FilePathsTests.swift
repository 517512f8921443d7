import Testing

@testable import MasterRuntime

/// Absolute paths, and names as parts of paths.
struct FilePathsTests {
    @Test(arguments: [
        ("a", "/base/a"), ("/a", "/a"), (".", "/base"), ("..", "/"), ("../../..", "/"),
        ("a/../b/./c//d/", "/base/b/c/d"), ("", "/base"),
    ])
    func `a relative path begins in a folder`(_ path: String, _ absolute: String) {
        #expect(FilePaths.absolute(path, in: "/base") == absolute)
    }

    @Test(arguments: [
        ("default", "default"), ("a b", "a%20b"), ("a/b", "a%2fb"), ("..", "%2e."),
        (".hidden", "%2ehidden"), ("v1.2-rc_3", "v1.2-rc_3"), ("größe", "größe"),
        ("日本語", "日本語"), ("%2f", "%252f"), ("\u{7}", "%07"),
    ])
    func `a name is one part of a path`(_ name: String, _ component: String) {
        #expect(FilePaths.component(name) == component)
    }
}
