CREATE TABLE connections (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    base_url text,
    model text,
    -- Encrypted, bound to this row.
    credential bytea,
    enabled boolean NOT NULL,
    failures bigint NOT NULL,
    error text,
    failed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX connections_bot ON connections (tenant_id, bot_id, created_at, id);

ALTER TABLE connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE connections FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON connections USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

-- How many a bot has: most have none, and are not asked for them with every message.
ALTER TABLE bots ADD COLUMN connection_count bigint NOT NULL DEFAULT 0;
