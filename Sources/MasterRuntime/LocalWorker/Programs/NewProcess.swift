import CProcess
import Glibc
import SystemPackage

/// A process to be started in a new session; see `process_start`.
struct NewProcess {
    /// A process that could not be started.
    struct Failure: Error, CustomStringConvertible {
        var stage: process_stage
        var fault: SystemFault

        var description: String { fault.description }
    }

    /// The paths to try for the program, in order.
    var candidates: [[UInt8]]
    var arguments: [String]
    var environment: ChildEnvironment
    var folder: FilePath
    /// The standard input, output and error.
    var streams: (OwnedDescriptor, OwnedDescriptor, OwnedDescriptor)
    var mark = PROCESS_UNMARKED
    /// Whether its output is a terminal that becomes its own.
    var hasTerminal = false

    /// Starts the process; the calling thread blocks until the program is executed.
    ///
    /// - Returns: The process id, which is not reused until the process has been reaped, and a
    ///   descriptor that becomes readable when it has exited.
    func start() throws(Failure) -> (process: pid_t, descriptor: OwnedDescriptor) {
        var (process, descriptor, stage): (pid_t, CInt, process_stage) = (-1, -1, PROCESS_CREATE)
        let error = unsafe Self.withStrings(candidates.map { $0 + [0] }) { paths in
            unsafe Self.withStrings(arguments.map { Array($0.utf8) + [0] }) { arguments in
                unsafe Self.withStrings(environment.terminated) { environment in
                    unsafe folder.withPlatformString { folder in
                        var start = unsafe new_process(
                            paths: paths, arguments: arguments, environment: environment,
                            folder: folder, input: streams.0.number, output: streams.1.number,
                            error: streams.2.number, mark: mark,
                            open_files: ProcessLimits.openFilesOfCommands,
                            has_terminal: hasTerminal ? 1 : 0)
                        return unsafe process_start(
                            &start, &process, &descriptor, &stage)
                    }
                }
            }
        }
        guard error == 0 else { throw Failure(stage: stage, fault: SystemFault(error)) }
        return (process, OwnedDescriptor(FileDescriptor(rawValue: descriptor)))
    }

    /// Passes zero-terminated strings to a closure as a C array: pointers, terminated by a null
    /// pointer.
    private static func withStrings<Value>(
        _ strings: [[UInt8]],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Value
    ) -> Value {
        var bytes = strings.flatMap(\.self)
        return unsafe bytes.withUnsafeMutableBytes { bytes in
            var pointers: [UnsafeMutablePointer<CChar>?] = unsafe []
            unsafe pointers.reserveCapacity(strings.count + 1)
            var next = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            for string in strings {
                unsafe pointers.append(next)
                unsafe next = next?.advanced(by: string.count)
            }
            unsafe pointers.append(nil)
            return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
        }
    }
}

/// The environment of a worker's programs, as passed to the system: bytes, `NAME=value`.
struct ChildEnvironment: Sendable {
    private var entries: [String: [UInt8]]

    /// The variables of this process, read once.
    ///
    /// Malformed entries – without a name, or with one that begins with a digit – are left out,
    /// because no shell can read them and the system's tools reject them.
    static let ofThisProcess = ChildEnvironment(entries: readEntries())

    /// The variables that a shell needs to find the usual programs.
    static let minimal = ChildEnvironment(entries: ["PATH": Array("PATH=/usr/bin:/bin".utf8)])

    /// The value of a variable.
    subscript(name: String) -> String? {
        entries[name].map { String(decoding: $0.dropFirst(name.utf8.count + 1), as: UTF8.self) }
    }

    /// A copy with some variables set or unset.
    func overlaid(with overlay: [String: String?]) -> ChildEnvironment {
        var result = self
        for (name, value) in overlay {
            result.entries[name] = value.map { Array("\(name)=\($0)".utf8) }
        }
        return result
    }

    /// A copy with some variables set or unset. In their values, `${NAME}` is replaced by this
    /// environment's value, or removed if there is none.
    func extended(with overlay: [String: String?]) -> ChildEnvironment {
        var result = self
        for (name, value) in overlay {
            result.entries[name] = value.map { Array("\(name)=".utf8) + expanded(Array($0.utf8)) }
        }
        return result
    }

    private func expanded(_ value: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = value[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "$")) {
            result += rest[..<start]
            rest = rest[start...]
            if let reference = VariableReference(at: rest) {
                let entry = entries[reference.name] ?? []
                result += entry.dropFirst(reference.name.utf8.count + 1)
                rest = rest.dropFirst(reference.byteCount)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result + rest
    }

    /// A copy without some variables.
    func without(_ names: Set<String>) -> ChildEnvironment {
        ChildEnvironment(entries: entries.filter { !names.contains($0.key) })
    }

    /// The entries, each terminated by a zero byte.
    var terminated: [[UInt8]] {
        entries.values.map { $0 + [0] }
    }

    /// The values by name.
    var variables: [String: String] {
        entries.keys.reduce(into: [:]) { $0[$1] = self[$1] }
    }

    /// The entries as text.
    var lines: [String] {
        entries.values.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A `${NAME}` reference at the beginning of a byte sequence.
    struct VariableReference {
        let name: String
        let byteCount: Int

        init?(at bytes: ArraySlice<UInt8>) {
            guard bytes.starts(with: "${".utf8) else { return nil }
            let inside = bytes.dropFirst(2)
            let name = inside.prefix { byte in
                byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte)
                    || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            }
            guard inside.dropFirst(name.count).first == UInt8(ascii: "}") else { return nil }
            self.name = String(decoding: name, as: UTF8.self)
            byteCount = name.count + 3
        }
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
