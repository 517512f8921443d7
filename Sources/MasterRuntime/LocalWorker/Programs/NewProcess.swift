import CProcess
import Glibc
import SystemPackage

/// A process that is to be started in a session of its own, see `process_start`.
struct NewProcess {
    /// Why it could not be started.
    struct Failure: Error, CustomStringConvertible {
        var stage: process_stage
        var fault: SystemFault

        var description: String { fault.description }
    }

    /// The files to try for the program, in order.
    var candidates: [[UInt8]]
    var arguments: [String]
    var environment: ChildEnvironment
    var folder: FilePath
    /// What becomes its standard input, output and error.
    var streams: (OwnedDescriptor, OwnedDescriptor, OwnedDescriptor)
    var mark = PROCESS_UNMARKED

    /// Starts it; the calling thread waits until the program is executed.
    ///
    /// - Returns: Its number, which stays its own until it has been waited for, and a descriptor
    ///   that becomes readable when it has exited.
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
                            open_files: ProcessLimits.openFilesOfCommands)
                        return unsafe process_start(
                            &start, &process, &descriptor, &stage)
                    }
                }
            }
        }
        guard error == 0 else { throw Failure(stage: stage, fault: SystemFault(error)) }
        return (process, OwnedDescriptor(FileDescriptor(rawValue: descriptor)))
    }

    /// Lends strings that end with a zero byte as C wants them: pointers, the last one null.
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
