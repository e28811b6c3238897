-- One row a month where the plan has limits (shard 0), several where it has none, so that turns of one
-- tenant need not wait for each other.
CREATE TABLE usage_counters (
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Year times 100 plus month.
    month INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    conversations INTEGER NOT NULL DEFAULT 0 CHECK (conversations >= 0),
    messages INTEGER NOT NULL DEFAULT 0 CHECK (messages >= 0),
    -- Answers that are being made: room is kept for them.
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    reserved_at INTEGER,
    PRIMARY KEY (tenant_id, month, shard)
) STRICT, WITHOUT ROWID;
