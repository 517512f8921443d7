/// Splices the settings of another type into a plugin's own, so that several plugins share them.
@propertyWrapper
public struct SettingGroup<Group: Settings>: Sendable {
    /// The group with its settings filled.
    public let wrappedValue: Group

    /// Declares a group with its defaults.
    public init() {
        self.wrappedValue = Group()
    }
}

/// A group of any type, as the decoder sees it.
protocol AnySettingGroup: Sendable {
    var settings: any Settings { get }
}

extension SettingGroup: AnySettingGroup {
    var settings: any Settings { wrappedValue }
}
