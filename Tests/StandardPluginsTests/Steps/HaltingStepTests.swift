import MasterKit
import StandardPlugins
import Testing

/// Which steps end the build when they fail, as in Buildbot.
struct HaltingStepTests {
    private static func halts(_ type: any Step.Type) -> Bool? {
        type.options.haltOnFailure.constant
    }

    @Test func `steps that later ones build on end the build`() {
        let types: [any Step.Type] = [
            Git.self, Compile.self, Configure.self, MasterShellCommand.self, FileUpload.self,
            DirectoryUpload.self, FileDownload.self, StringDownload.self, JSONStringDownload.self,
            MakeDirectory.self, RemoveDirectory.self, CopyDirectory.self,
        ]
        for type in types { #expect(Self.halts(type) == true, "\(type)") }
    }

    @Test func `other steps do not`() {
        let types: [any Step.Type] = [
            ShellCommand.self, ShellSequence.self, StandardPlugins.Test.self, Trigger.self,
            SetPropertyFromCommand.self, SetProperty.self, POST.self,
        ]
        for type in types { #expect(Self.halts(type) == false, "\(type)") }
    }
}
