CREATE TABLE bots (
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    channel_type text NOT NULL,
    description text,
    welcome_message text,
    system_prompt text,
    language text NOT NULL,
    personality text,
    bot_role text,
    is_active boolean NOT NULL,
    is_default boolean NOT NULL,
    knowledge_version bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX bots_default ON bots (tenant_id) WHERE is_default;
CREATE INDEX bots_newest ON bots (tenant_id, created_at, id);

ALTER TABLE bots ENABLE ROW LEVEL SECURITY;
ALTER TABLE bots FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON bots USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
