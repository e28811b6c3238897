CREATE TABLE bots (
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL,
    channel_type TEXT NOT NULL,
    description TEXT,
    welcome_message TEXT,
    system_prompt TEXT,
    language TEXT NOT NULL,
    personality TEXT,
    bot_role TEXT,
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    knowledge_version INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX bots_default ON bots (tenant_id) WHERE is_default = 1;
CREATE INDEX bots_newest ON bots (tenant_id, created_at, id);
