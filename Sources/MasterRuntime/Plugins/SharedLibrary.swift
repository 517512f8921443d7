internal import FoundationEssentials
internal import Glibc
internal import MasterKit

/// A library of plugins in the address space of this program.
enum SharedLibrary {
    /// Why a library can't be loaded, as the end of a sentence that begins with its path.
    struct Fault: Error {
        let reason: String
    }

    /// Loads a library and calls its entry point; a library that is loaded already is used again.
    static func plugins(of path: String) throws(Fault) -> PluginBundle {
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw Fault(reason: "can't be loaded: \(lastError())")
        }
        guard let symbol = unsafe dlsym(handle, PluginEntryPoint.name) else {
            throw Fault(
                reason:
                    "has no function '\(PluginEntryPoint.name)', so it is not a library of plugins; "
                    + "'plugins build' makes one from a package")
        }
        typealias Entry = @convention(c) (UnsafeMutableRawPointer) -> Void
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        var plugins: Any?
        unsafe withUnsafeMutablePointer(to: &plugins) { unsafe entry(UnsafeMutableRawPointer($0)) }
        guard let bundle = plugins as? PluginBundle else {
            throw Fault(reason: "declares 'plugins' that are not a PluginBundle of this MasterKit")
        }
        return bundle
    }

    /// Why this program can't load libraries of plugins; `nil` if it can.
    static func reasonNotToLoad() -> String? {
        let runtime = unsafe dlopen("libswiftCore.so", RTLD_NOW | RTLD_NOLOAD)
        guard unsafe runtime != nil else {
            return
                "this program contains Swift's standard library and so can't load plugins; build "
                + "it without -static-stdlib"
        }
        // The descriptor of the type that a library hands over.
        guard unsafe dlsym(dlopen(nil, RTLD_NOW), "$s9MasterKit12PluginBundleVMn") != nil else {
            return "this program does not export the symbols that plugins need; link it with "
                + "'-Xlinker --export-dynamic'"
        }
        return nil
    }

    private static func lastError() -> String {
        guard let message = unsafe dlerror() else { return "unknown error" }
        return unsafe String(cString: message)
    }
}

/// The C function that a library of plugins has.
package enum PluginEntryPoint {
    static let name = "buildmaster_plugins"

    /// The file that is compiled with the sources of a package, whose `plugins` it hands over.
    ///
    /// It imports nothing, since all files of a module must import a module in the same way.
    package static let source = """
        @_cdecl("\(name)")
        public func buildmasterPlugins(_ bundle: UnsafeMutableRawPointer) {
            unsafe bundle.assumingMemoryBound(to: Any?.self).pointee = plugins
        }

        """
}

/// What libraries of plugins must have been built for.
package struct PluginHost: Sendable, Hashable {
    /// The version of Swift, such as `6.3.1`.
    package let swift: String
    /// The identity of the MasterKit in a program: the build ID that its linker computed.
    package let masterKit: String

    package init(swift: String, masterKit: String) {
        self.swift = swift
        self.masterKit = masterKit
    }

    /// This program; its version of Swift is known without the last number.
    package static let current: PluginHost? = {
        do {
            let program = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
            return buildID(of: program).map { PluginHost(swift: compiler, masterKit: $0) }
        } catch {
            return nil  // The caller says that the program can't load plugins.
        }
    }()

    /// The file of this program.
    package static let path = "/proc/self/exe"

    private static var compiler: String {
        #if compiler(>=6.5)
            "6.5"
        #elseif compiler(>=6.4)
            "6.4"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    /// Whether libraries for one are libraries for the other.
    func admits(_ other: PluginHost) -> Bool {
        masterKit == other.masterKit
            && other.swift.split(separator: ".").prefix(2).joined(separator: ".") == swift
    }

    /// The build ID among the notes of a 64-bit ELF file, in hexadecimal digits.
    static func buildID(of elf: Data) -> String? {
        func number(at offset: Int, size: Int) -> Int? {
            guard offset >= 0, offset <= elf.count - size else { return nil }
            return elf[offset..<offset + size].reversed().reduce(0) { $0 &<< 8 | Int($1) }
        }
        guard elf.starts(with: Array("\u{7f}ELF\u{2}".utf8)),
            let headers = number(at: 32, size: 8), let size = number(at: 54, size: 2),
            let count = number(at: 56, size: 2)
        else { return nil }
        for header in (0..<count).map({ headers + $0 * size })
        where number(at: header, size: 4) == 4 {
            guard var note = number(at: header + 8, size: 8),
                let length = number(at: header + 32, size: 8)
            else { return nil }
            let end = note + length
            while note < end, let name = number(at: note, size: 4),
                let content = number(at: note + 4, size: 4),
                let type = number(at: note + 8, size: 4)
            {
                let start = note + 12 + (name + 3) & ~3
                if type == 3, start + content <= elf.count,
                    elf[(note + 12)..<start].starts(with: "GNU\0".utf8)
                {
                    let digits = Array("0123456789abcdef")
                    return elf[start..<start + content].reduce(into: "") {
                        $0.append(digits[Int($1 >> 4)])
                        $0.append(digits[Int($1 & 15)])
                    }
                }
                note = start + (content + 3) & ~3
            }
        }
        return nil
    }
}
