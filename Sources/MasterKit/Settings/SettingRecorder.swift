import Synchronization

/// Takes down the settings that come into being while a value is made, in their order.
///
/// To look for the settings in the finished value by reflection takes some fifteen times as long
/// as to make them; so that is done once a type, and ``SettingLayout`` remembers the outcome.
final class SettingRecorder: Sendable {
    @TaskLocal private static var current: SettingRecorder?

    private let settings = Mutex<[any AnySetting]>([])

    private init() {}

    /// Takes down a setting, when somebody listens.
    static func note(_ setting: any AnySetting) {
        current?.settings.withLock { $0.append(setting) }
    }

    /// Makes a value and returns it with the settings that came into being meanwhile.
    static func recording<Value>(
        _ make: () -> Value
    ) -> (value: Value, settings: [any AnySetting]) {
        let recorder = SettingRecorder()
        let value = $current.withValue(recorder, operation: make)
        return (value, recorder.settings.withLock { $0 })
    }
}
