package import MasterKit

/// `change_hook_dialects`: the services whose requests add changes.
package struct ChangeHookSettings: Settings, SettingValue {
    @Setting("Pushes and pull requests of GitHub.") package var github: ChangeHookDialect?
    @Setting("Pushes and merge requests of GitLab.") package var gitlab: ChangeHookDialect?
    @Setting("Pushes and pull requests of Gitea or Forgejo.")
    package var gitea: ChangeHookDialect?
    @Setting("Pushes and pull requests of bitbucket.org.")
    package var bitbucketcloud: ChangeHookDialect?
    @Setting("Pushes and pull requests of Bitbucket Server or Data Center.")
    package var bitbucketserver: ChangeHookDialect?
    @Setting("Changes that scripts send as forms.") package var base: ChangeHookDialect?

    package init() {}

    package static var shape: String { "a mapping such as {github: {secret: !Secret hook}}" }

    package static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> ChangeHookSettings? {
        decoder.read(
            ChangeHookSettings.self, from: node, owner: "change_hook_dialects", at: node.range)
    }

    /// The dialects by name.
    package var dialects: [(name: String, settings: ChangeHookDialect)] {
        [
            ("github", github), ("gitlab", gitlab), ("gitea", gitea),
            ("bitbucketcloud", bitbucketcloud), ("bitbucketserver", bitbucketserver),
            ("base", base),
        ].compactMap { name, settings in settings.map { (name, $0) } }
    }

    package func check(_ settings: SettingsCheck) {
        for (name, dialect) in dialects {
            if dialect.secret == nil, !dialect.insecure {
                settings.error(
                    "'\(name)' needs 'secret', by which requests are verified, such as !Secret "
                        + "hook; with 'insecure: true' anybody can add changes", at: name)
            }
            if dialect.secret != nil, dialect.insecure {
                settings.error("'\(name)' has 'secret' and 'insecure: true'; keep one", at: name)
            }
            if dialect.secret?.constant != nil {
                settings.error(
                    "the secret of '\(name)' must not be in the file; write !Secret NAME", at: name)
            }
            if name == "base", dialect.forks {
                settings.error("'base' has no pull requests; remove 'forks'", at: name)
            }
            if name != "github", dialect.pullRequestRef != nil {
                settings.error(
                    "'pullrequest_ref' is for 'github'; remove it from '\(name)'", at: name)
            }
        }
    }
}

extension ChangeHookSettings: SettingHints {
    package static func hint(forUnknown name: String) -> String? {
        switch name {
        case "forgejo", "gogs": "write 'gitea'"
        case "bitbucket": "write 'bitbucketcloud' or 'bitbucketserver'"
        case "gitorious": "this service no longer exists; remove it"
        case "poller": "this version does not have it; set a 'pollInterval' of the change source"
        default: nil
        }
    }
}

/// How the requests of a service are verified and read.
package struct ChangeHookDialect: Settings, SettingValue {
    /// Which ref of a pull request is built.
    package enum PullRequestRef: String, SettingEnumeration {
        case head
        case merge
    }

    @Setting("The secret by which requests are verified, as it is set in the service.", .secret)
    package var secret: Renderable<String>?
    @Setting("Accept requests of anybody, without a secret.") package var insecure = false
    @Setting("Accept pull requests from other repositories, whose builds run code of strangers.")
    package var forks = false
    @Setting("The codebase of the changes.") package var codebase = ""
    @Setting(
        "The ref of GitHub's pull requests that is built: 'head', the default, or 'merge'.",
        .named("pullrequest_ref"))
    package var pullRequestRef: PullRequestRef?

    package init() {}

    package static var shape: String { "a mapping such as {secret: !Secret hook}" }

    package static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> ChangeHookDialect? {
        guard node.mapping != nil else { return decoder.mismatch(node, expected: shape) }
        return decoder.read(
            ChangeHookDialect.self, from: node, owner: "a change hook", at: node.range)
    }
}

extension ChangeHookDialect: SettingHints {
    package static func hint(forUnknown name: String) -> String? {
        switch name {
        case "strict": "signatures are always required; remove it"
        case "token", "github_api_endpoint", "verify", "debug", "custom_class",
            "github_property_whitelist", "skips", "class":
            "this version does not have it; remove it"
        default: nil
        }
    }
}
