CREATE TABLE connections (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    base_url TEXT,
    model TEXT,
    -- Encrypted, bound to this row.
    credential BLOB,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    failures INTEGER NOT NULL,
    error TEXT,
    failed_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX connections_bot ON connections (tenant_id, bot_id, created_at, id);

-- How many a bot has: most have none, and are not asked for them with every message.
ALTER TABLE bots ADD COLUMN connection_count INTEGER NOT NULL DEFAULT 0;
