CREATE TABLE knowledge_sources (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    name text NOT NULL,
    source_type text NOT NULL,
    status text NOT NULL,
    error text,
    content_preview text NOT NULL,
    file_name text,
    url text,
    pages bigint,
    failures jsonb NOT NULL,
    size_bytes bigint NOT NULL,
    chunk_count bigint NOT NULL,
    -- The bot's knowledge version at which its chunks last changed.
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX knowledge_sources_newest ON knowledge_sources (tenant_id, created_at, id);
CREATE INDEX knowledge_sources_bot ON knowledge_sources (tenant_id, bot_id);

-- What may be large stands apart, so that lists never read it.
CREATE TABLE knowledge_contents (
    tenant_id uuid NOT NULL,
    source_id uuid NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (tenant_id, source_id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE knowledge_files (
    tenant_id uuid NOT NULL,
    source_id uuid NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (tenant_id, source_id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE knowledge_chunks (
    tenant_id uuid NOT NULL,
    source_id uuid NOT NULL,
    chunk_index bigint NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    content text NOT NULL,
    heading text,
    page bigint,
    url text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, source_id, chunk_index),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX knowledge_chunks_id ON knowledge_chunks (tenant_id, id);

ALTER TABLE knowledge_sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge_sources FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON knowledge_sources USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE knowledge_contents ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge_contents FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON knowledge_contents USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE knowledge_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge_files FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON knowledge_files USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE knowledge_chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge_chunks FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON knowledge_chunks USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
