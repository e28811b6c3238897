-- The model that the bot is searched with, the one before, and whether its owner chose.
ALTER TABLE bots
    ADD COLUMN embedding_model text,
    ADD COLUMN embedding_previous text,
    ADD COLUMN embedding_held boolean NOT NULL DEFAULT false;

-- How far a model has come with a source.
CREATE TABLE embedding_runs (
    tenant_id uuid NOT NULL,
    source_id uuid NOT NULL,
    model text NOT NULL,
    -- The reading that is embedded.
    generation bigint NOT NULL,
    done bigint NOT NULL,
    -- The version of the bot's knowledge that its end made; 0: it has not ended.
    finished bigint NOT NULL,
    error text,
    PRIMARY KEY (tenant_id, source_id, model),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
);

-- By the words that were embedded, not by chunk: words that come again need not be embedded again.
CREATE TABLE embeddings (
    tenant_id uuid NOT NULL,
    source_id uuid NOT NULL,
    model text NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 16),
    -- The last reading that had these words.
    generation bigint NOT NULL,
    vector bytea NOT NULL,
    PRIMARY KEY (tenant_id, source_id, model, hash),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX embeddings_hash ON embeddings (tenant_id, model, hash);

ALTER TABLE embedding_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE embedding_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON embedding_runs USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE embeddings ENABLE ROW LEVEL SECURITY;
ALTER TABLE embeddings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON embeddings USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

-- What is there already can be embedded once there is an embedder.
SET LOCAL botwright.tenant = '*';
INSERT INTO jobs (tenant_id, id, kind, source_id, attempts, due_at)
SELECT tenant_id, gen_random_uuid(), 'embed_source', id, 0, created_at FROM knowledge_sources WHERE status = 'ready';

-- The newest conversations of a bot are found without looking at all of them.
DROP INDEX conversations_bot;
CREATE INDEX conversations_bot ON conversations (tenant_id, bot_id, created_at, id);
