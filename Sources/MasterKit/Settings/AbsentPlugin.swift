/// Plugins that exist in Buildbot or elsewhere but not in this program.
enum AbsentPlugin {
    /// What to write for a command, or for a step without the colon after its name.
    private static func remedy(
        for text: String, with space: String.Index, among known: [Registry.Entry]
    ) -> String {
        let first = text[..<space]
        let named = known.first { $0.key.name == first }.map { "\($0.key)" }
        let isStep = named != nil || text.hasPrefix("steps.")
        let step = named ?? (isStep ? String(first) : "steps.ShellCommand")
        let value = (isStep ? String(text[space...].dropFirst()) : text).shortened
        let isPlain = [": ", " #", "'", "\""].allSatisfy { !value.contains($0) }
        return isPlain
            ? "write '\(step): \(value)'" : "write '\(step): …' with the text in quotes"
    }

    /// The keys of commands in the files of other programs.
    static let commandWords = [
        "run", "script", "shell", "sh", "bash", "cmd", "command", "exec",
    ]

    /// What to use instead, or `nil` if there is no specific hint.
    static func remedy(for text: String, among known: [Registry.Entry]) -> String? {
        if let space = text.firstIndex(of: " ") {
            return remedy(for: text, with: space, among: known)
        }
        if commandWords.contains(text) { return "write 'steps.ShellCommand: …'" }
        switch text {
        case "steps.GitHub", "steps.GitLab", "steps.Gerrit", "steps.Checkout", "git", "checkout":
            return "write 'steps.Git'"
        case "uses":
            return "actions don't run here; write 'steps.Git' for a checkout, and "
                + "'steps.ShellCommand: …' for a command"
        case "steps.Mercurial", "steps.SVN", "steps.P4", "steps.Repo", "steps.Bzr", "steps.CVS",
            "steps.Darcs", "steps.Monotone":
            return "this version fetches sources with git alone, in 'steps.Git'; fetch others in a "
                + "'steps.ShellCommand'"
        case "steps.Shell", "steps.Sh", "steps.Run", "steps.Script":
            return "write 'steps.ShellCommand', once for each command"
        case "steps.MultipleFileUpload":
            return "write 'steps.FileUpload' once for each file, or 'steps.DirectoryUpload'"
        case "secrets.SecretInAFile": return "write 'secrets.File'"
        case "secrets.HashiCorpVaultKvSecretProvider", "secrets.SecretInVault",
            "secrets.SecretInPass":
            return "write 'secrets.Command' with the program that prints the secret"
        case "schedulers.Cron", "schedulers.Timer", "schedulers.Daily", "schedulers.Schedule":
            return "write 'schedulers.Nightly' for times of a day, or 'schedulers.Periodic'"
        case "schedulers.Manual", "schedulers.Dispatch": return "write 'schedulers.ForceScheduler'"
        case "schedulers.Scheduler", "schedulers.Push", "schedulers.Change", "schedulers.Branch":
            return "write 'schedulers.SingleBranchScheduler'"
        case "workers.LocalWorker": return "write 'workers.Local'"
        case "util.OldBuildCanceller", "util.FailingBuildsetCanceller":
            return "this version does not have it; remove it"
        case "schedulers.NightlyTriggerable":
            return "use 'schedulers.Nightly' for times of a day, or 'schedulers.Triggerable'"
        case "schedulers.Try_Userpass", "schedulers.Try_Jobdir":
            return "push to a branch, and let a change source find it or 'force --branch' build it"
        default:
            return stepRemedy(for: text) ?? sourceRemedy(for: text) ?? reporterRemedy(for: text)
                ?? workerRemedy(for: text)
        }
    }

    /// Steps of Buildbot that are a command with an output of its own.
    private static let programs = [
        "PyFlakes", "PyLint", "Trial", "RemovePYCs", "Sphinx", "BuildEPYDoc", "Cppcheck", "CMake",
        "Robocopy", "DebPbuilder", "DebCowbuilder", "DebLintian", "UbuPbuilder", "UbuCowbuilder",
        "RpmBuild", "RpmLint", "MockBuildSRPM", "MockRebuild", "MaxQ", "HLint", "TreeSize",
        "SubunitShellCommand", "PerlModule", "PerlModuleTest", "VisualStudio", "GitTag", "GitPush",
        "GitCommit", "GitDiffInfo",
    ]

    private static func stepRemedy(for text: String) -> String? {
        guard text.hasPrefix("steps.") else { return nil }
        let name = String(text.dropFirst("steps.".count))
        if name.hasSuffix("NewStyle") { return "write 'steps.\(name.dropLast("NewStyle".count))'" }
        switch name {
        case "SetPropertiesFromEnv":
            return "print each variable in a 'steps.SetPropertyFromCommand', such as 'echo $NAME'"
        case "FileExists": return "write 'steps.ShellCommand: [test, -f, FILE]'"
        case "JSONPropertiesDownload":
            return "write 'steps.JSONStringDownload' with the properties that are wanted"
        case "WarningCountingShellCommand":
            return "write 'steps.Compile', or 'warningPattern' in a 'steps.ShellCommand'"
        default:
            let versions = ["VC", "VS", "MsBuild"]
            let isProgram =
                programs.contains(name)
                || versions.contains { name.hasPrefix($0) && name.last?.isNumber == true }
            return isProgram
                ? "write its command in a 'steps.ShellCommand', 'steps.Compile' or 'steps.Test'"
                : nil
        }
    }

    private static func workerRemedy(for text: String) -> String? {
        guard text.hasPrefix("workers."), text.contains("Latent") else { return nil }
        return "this version starts no machines; write 'workers.Worker' for each, and start them "
            + "by other means"
    }

    private static func sourceRemedy(for text: String) -> String? {
        guard text.hasPrefix("changes."), text != "changes.GitPoller" else { return nil }
        if text.lowercased().contains("pullrequest") {
            return "let the service call a hook, which takes pull requests, too: see "
                + "'change_hook_dialects' of 'www'"
        }
        let others = ["Hg", "SVN", "P4", "CVS", "Bzr", "Gerrit", "PBChange", "Maildir"]
        guard others.contains(where: { text.contains($0) }) else { return nil }
        return "this version looks at git repositories alone; let a hook of the repository post to "
            + "/change_hook/base"
    }

    private static func reporterRemedy(for text: String) -> String? {
        let services = [
            "GitHub", "GitLab", "Gitea", "Bitbucket", "Gerrit", "Slack", "Telegram", "Zulip", "IRC",
            "Mail", "Pushover", "Pushjet", "Discord", "Teams", "Mattermost",
        ]
        if ["reporters.WebStatus", "reporters.html"].contains(text) {
            return "write 'www' at the top level"
        }
        if text == "reporters.BitbucketServerCoreAPIStatusPush" {
            return "write 'reporters.BitbucketServerStatusPush'"
        }
        guard text.hasPrefix("reporters."), text != "reporters.HttpStatusPush",
            services.contains(where: { text.contains($0) })
        else { return nil }
        return "use 'reporters.HttpStatusPush' with the address of the service and its body in "
            + "'format'"
    }
}
