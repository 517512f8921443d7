/// What a committed record survives.
public enum Durability: String, Sendable, Hashable, CaseIterable {
    /// The end of the process, however sudden; a power cut may cost the last second.
    case process
    /// A power cut too; every commit waits for the disk.
    case power
}
