CREATE TABLE knowledge_sources (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    name TEXT NOT NULL,
    source_type TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    content_preview TEXT NOT NULL,
    file_name TEXT,
    url TEXT,
    pages INTEGER,
    failures TEXT NOT NULL CHECK (json_valid(failures)),
    size_bytes INTEGER NOT NULL,
    chunk_count INTEGER NOT NULL,
    -- The bot's knowledge version at which its chunks last changed.
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX knowledge_sources_newest ON knowledge_sources (tenant_id, created_at, id);
CREATE INDEX knowledge_sources_bot ON knowledge_sources (tenant_id, bot_id);

-- What may be large stands apart, so that lists never read it.
CREATE TABLE knowledge_contents (
    tenant_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (tenant_id, source_id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE knowledge_files (
    tenant_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant_id, source_id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE knowledge_chunks (
    tenant_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    chunk_index INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    content TEXT NOT NULL,
    heading TEXT,
    page INTEGER,
    url TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, source_id, chunk_index),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX knowledge_chunks_id ON knowledge_chunks (tenant_id, id);
