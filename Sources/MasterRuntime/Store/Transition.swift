/// A closure for the writer, with what is to be done when it has been committed or has failed.
struct Transition: Sendable {
    /// Changes records; gives what tells the caller of it after the commit.
    let perform: @Sendable (StoreTransaction) throws -> @Sendable () -> Void
    /// Tells the caller that nothing of it was kept.
    let fail: @Sendable (StoreError) -> Void
    /// Whether nobody waits for the outcome, so that a failure has to stop the store.
    let isPosted: Bool
}
