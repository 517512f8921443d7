extension StepOptionSettings: SettingHints {
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "locks":
            "steps can't wait for locks in this version; 'run --jobs 1' builds one at a time"
        case "retry":
            "steps are not run again in this version; leave it out"
        default: nil
        }
    }
}
