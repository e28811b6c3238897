-- The model that the bot is searched with, the one before, and whether its owner chose.
ALTER TABLE bots ADD COLUMN embedding_model TEXT;
ALTER TABLE bots ADD COLUMN embedding_previous TEXT;
ALTER TABLE bots ADD COLUMN embedding_held INTEGER NOT NULL DEFAULT 0 CHECK (embedding_held IN (0, 1));

-- How far a model has come with a source.
CREATE TABLE embedding_runs (
    tenant_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    model TEXT NOT NULL,
    -- The reading that is embedded.
    generation INTEGER NOT NULL,
    done INTEGER NOT NULL,
    -- The version of the bot's knowledge that its end made; 0: it has not ended.
    finished INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (tenant_id, source_id, model),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- By the words that were embedded, not by chunk: words that come again need not be embedded again.
CREATE TABLE embeddings (
    tenant_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    model TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 16),
    -- The last reading that had these words.
    generation INTEGER NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (tenant_id, source_id, model, hash),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX embeddings_hash ON embeddings (tenant_id, model, hash);

-- What is there already can be embedded once there is an embedder.
INSERT INTO jobs (tenant_id, id, kind, source_id, attempts, due_at)
SELECT tenant_id, randomblob(16), 'embed_source', id, 0, created_at FROM knowledge_sources WHERE status = 'ready';

-- The newest conversations of a bot are found without looking at all of them.
DROP INDEX conversations_bot;
CREATE INDEX conversations_bot ON conversations (tenant_id, bot_id, created_at, id);
