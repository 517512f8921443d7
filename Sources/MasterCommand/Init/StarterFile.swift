internal import FoundationEssentials
internal import MasterKit
internal import SystemPackage

/// The master.yaml written by `init`.
struct StarterFile {
    /// The file name.
    static let name = "master.yaml"

    /// The name of the project.
    let title: String
    let projects: [Project]

    /// The contents of the file.
    var text: String {
        let title = JSONWriter.compact.string(.string(title))
        return """
            # What `\(RootCommand.programName) run` does in this folder.
            # `\(RootCommand.programName) check` finds the mistakes in this file; `\(RootCommand.programName) plugins list` shows what it can contain,
            # and `\(RootCommand.programName) run --dry-run` every command that it runs.
            title: \(title)

            # To post the status of every build to a URL, uncomment these lines.
            # `\(RootCommand.programName) run --receiver` shows what would be sent to this one.
            #services:
            #  - reporters.HttpStatusPush: http://127.0.0.1:9980/status

            \(body)

            """
    }

    private var body: String {
        switch projects.count {
        case 0:
            return """
                steps:
                  # Replace this command by those that build and test your sources.
                  - steps.ShellCommand: echo hello
                """
        case 1:
            return (["steps:  # for the \(projects[0].title)"] + lines(projects[0], indent: "  "))
                .joined(separator: "\n")
        default:
            let builders = projects.flatMap { project in
                ["  - name: \(project.name)  # for the \(project.title)", "    steps:"]
                    + lines(project, indent: "      ")
            }
            return (["builders:"] + builders).joined(separator: "\n")
        }
    }

    private func lines(_ project: Project, indent: String) -> [String] {
        project.steps.map { "\(indent)- \($0.text)" }
    }

    /// Writes the file; an existing file is never overwritten.
    func write(to path: String) throws {
        do {
            let file = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .exclusiveCreate],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            do {
                try file.closeAfter { _ = try file.writeAll(text.utf8) }
            } catch {
                // The file was created by this call, and an incomplete one would not be replaced
                // later. Why the text could not be written is what the user has to know.
                try? FileManager.default.removeItem(atPath: path)
                throw error
            }
        } catch Errno.fileExists {
            throw FailedRun("\(path) exists, and is left as it is; rename it to get a new one")
        } catch let error as Errno {
            throw FailedRun("can't write \(path): \(error)")
        }
    }
}
