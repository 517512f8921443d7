extension StoreSchema {
    /// Bounds on what is kept, endpoints that stay closed, and changes from outside.
    ///
    /// `since` is when the schedule of a delivery began, `tries_before` how often it was tried
    /// before that. `changed` is the value of `meta.changes` at which somebody beside the outbox
    /// changed the row. The index answers every question about what is kept without a look at the
    /// reports themselves.
    static let keptDeliveries = """
        ALTER TABLE meta ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE reporter ADD COLUMN closed_receiver TEXT;
        ALTER TABLE delivery ADD COLUMN since REAL;
        ALTER TABLE delivery ADD COLUMN tries_before INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE delivery ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE delivery ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
        UPDATE delivery SET bytes = ifnull(length(CAST(report AS BLOB)), 0),
            since = (SELECT at FROM event WHERE seq = event_seq);
        DROP INDEX delivery_open;
        CREATE INDEX delivery_kept ON delivery(reporter_id, lane, event_seq, state, bytes, since)
            WHERE state IN ('open', 'parked', 'dead');
        CREATE INDEX delivery_changed ON delivery(changed) WHERE changed > 0;
        """

    /// When reports were given up and whether that was said, how long a receiver asked to be left
    /// alone, and how much the answers take that are kept of a delivery.
    static let endedDeliveries = """
        PRAGMA application_id = \(applicationID);
        ALTER TABLE delivery ADD COLUMN ended_at REAL;
        ALTER TABLE delivery ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE delivery ADD COLUMN not_before REAL;
        ALTER TABLE delivery ADD COLUMN answer_bytes INTEGER NOT NULL DEFAULT 0;
        UPDATE delivery SET ended_at = since, told = 1 WHERE state = 'dead';
        DROP INDEX delivery_kept;
        CREATE INDEX delivery_kept
            ON delivery(reporter_id, lane, event_seq, state, bytes, answer_bytes, since)
            WHERE state IN ('open', 'parked', 'dead');
        CREATE INDEX delivery_dead ON delivery(ended_at, told) WHERE state = 'dead';
        """
}
