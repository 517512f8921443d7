public import MasterKit

/// The plugins available in every master.
public let standardPlugins = PluginBundle(
    MessageFormatterEmpty.self, MessageFormatterFunction.self, MessageFormatterFunctionRaw.self,
    MessageFormatterRenderable.self, TemplateMessageFormatter.self, BuildRequestGenerator.self,
    BuildSetCombinedStatusGenerator.self, BuildSetStatusGenerator.self,
    BuildStartEndStatusGenerator.self, BuildStatusGenerator.self, StepStatusGenerator.self,
    BitbucketServerStatusPush.self, BitbucketStatusPush.self, GitHubStatusPush.self,
    GitLabStatusPush.self, GiteaStatusPush.self,
    CloudEvents.self, HttpStatusPush.self, MailNotifier.self, CommandSecrets.self,
    EnvironmentSecrets.self, FileSecrets.self, GitPoller.self,
    CMake.self, Python.self, SwiftPackage.self, Assert.self, BackgroundCommand.self, Compile.self,
    Configure.self, CopyDirectory.self, DELETE.self, DirectoryUpload.self, FileDownload.self,
    FileUpload.self, GET.self, Git.self, HEAD.self, HTTPStep.self, JSONStringDownload.self,
    LogRenderable.self, MakeDirectory.self, MasterShellCommand.self, OPTIONS.self, PATCH.self,
    POST.self, PUT.self, RemoveDirectory.self, SetProperties.self, SetPropertiesFromJSON.self,
    SetProperty.self, SetPropertyFromCommand.self, ShellCommand.self, ShellSequence.self,
    StopBackgroundCommand.self, StringDownload.self, Test.self, Trigger.self,
    AnyBranchScheduler.self, Dependent.self, ForceScheduler.self, Nightly.self,
    Periodic.self, SingleBranchScheduler.self, Triggerable.self,
    RemoteBuildWorker.self, LocalBuildWorker.self)

extension Registry {
    /// A registry of only the standard plugins.
    public static let standard: Registry = {
        do {
            return try Registry(standardPlugins)
        } catch {
            preconditionFailure("\(error)")
        }
    }()
}
