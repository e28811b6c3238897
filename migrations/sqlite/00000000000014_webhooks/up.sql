CREATE TABLE webhook_endpoints (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    url TEXT NOT NULL,
    -- The kinds that it gets: a list of words.
    events TEXT NOT NULL CHECK (json_valid(events)),
    description TEXT,
    -- Null: it is enabled.
    disabled_reason TEXT,
    disabled_at INTEGER,
    failed_rounds INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    paused_until INTEGER,
    -- Signing keys, sealed.
    signing_key BLOB NOT NULL,
    previous_key BLOB,
    previous_until INTEGER,
    -- Grows with every lease, and so tells the holder of a lease from those who had it before.
    leases INTEGER NOT NULL DEFAULT 0,
    leased_at INTEGER NOT NULL,
    lease_until INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE webhook_events (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB,
    kind TEXT NOT NULL,
    -- What it is about: events of one subject are delivered in order.
    subject BLOB NOT NULL,
    data TEXT NOT NULL CHECK (json_valid(data)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX webhook_events_subject ON webhook_events (tenant_id, subject);
CREATE INDEX webhook_events_bot ON webhook_events (tenant_id, bot_id);
CREATE INDEX webhook_events_age ON webhook_events (created_at);

CREATE TABLE webhook_deliveries (
    -- The order of events of a subject.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id BLOB NOT NULL,
    endpoint_id BLOB NOT NULL,
    event_id BLOB NOT NULL,
    subject BLOB NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Null: it is pending no more.
    due_at INTEGER,
    last_status INTEGER,
    last_error TEXT,
    last_attempt_at INTEGER,
    UNIQUE (tenant_id, endpoint_id, event_id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, event_id) REFERENCES webhook_events (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (tenant_id, endpoint_id, subject, seq)
    WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant_id, endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (tenant_id, endpoint_id, seq);
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (tenant_id, event_id);
