public import MasterKit

/// The plugins available in every master.
public let standardPlugins = PluginBundle(
    MessageFormatterEmpty.self, MessageFormatterFunction.self, MessageFormatterFunctionRaw.self,
    MessageFormatterRenderable.self, TemplateMessageFormatter.self, BuildRequestGenerator.self,
    BuildSetCombinedStatusGenerator.self, BuildSetStatusGenerator.self,
    BuildStartEndStatusGenerator.self, BuildStatusGenerator.self, StepStatusGenerator.self,
    HttpStatusPush.self, CommandSecrets.self, EnvironmentSecrets.self, FileSecrets.self,
    DELETE.self, GET.self, HEAD.self, HTTPStep.self, OPTIONS.self, PATCH.self, POST.self, PUT.self,
    SetProperty.self, SetPropertyFromCommand.self, ShellCommand.self)

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
