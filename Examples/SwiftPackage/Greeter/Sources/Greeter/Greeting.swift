/// Returns a greeting for a person.
public func greeting(for name: String) -> String {
    name.isEmpty ? "Hello!" : "Hello, \(name)!"
}
