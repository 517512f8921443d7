import Glibc

/// The variables a worker gives to its programs, as the system passes them: bytes, `NAME=value`.
struct ChildEnvironment: Sendable {
    private var entries: [String: [UInt8]]

    /// The variables of this process, taken once.
    ///
    /// Entries that are no variables – without a name, or with one that begins with a digit – are
    /// left out, since no shell can read them and the system's own tools refuse them.
    static let ofThisProcess = ChildEnvironment(entries: readEntries())

    /// What a shell needs to find the usual programs.
    static let minimal = ChildEnvironment(entries: ["PATH": Array("PATH=/usr/bin:/bin".utf8)])

    /// The value of a variable.
    subscript(name: String) -> String? {
        entries[name].map { String(decoding: $0.dropFirst(name.utf8.count + 1), as: UTF8.self) }
    }

    /// These variables with others set or unset.
    func overlaid(with overlay: [String: String?]) -> ChildEnvironment {
        var result = self
        for (name, value) in overlay {
            result.entries[name] = value.map { Array("\(name)=\($0)".utf8) }
        }
        return result
    }

    /// These variables but for some.
    func without(_ names: Set<String>) -> ChildEnvironment {
        ChildEnvironment(entries: entries.filter { !names.contains($0.key) })
    }

    /// Each entry with the zero byte that ends it.
    var terminated: [[UInt8]] {
        entries.values.map { $0 + [0] }
    }

    /// Each entry as text.
    var lines: [String] {
        entries.values.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func readEntries() -> [String: [UInt8]] {
        var entries: [String: [UInt8]] = [:]
        var pointer = unsafe environ
        while let entry = unsafe pointer.pointee {
            let bytes = unsafe UnsafeRawBufferPointer(start: entry, count: strlen(entry))
            let isNamed = unsafe bytes.first.map { !(0x30...0x39).contains($0) } ?? false
            if isNamed, let equals = unsafe bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0 {
                let name = unsafe String(decoding: bytes[..<equals], as: UTF8.self)
                entries[name] = unsafe Array(bytes)
            }
            unsafe pointer += 1
        }
        return entries
    }
}
