ALTER TABLE knowledge_sources ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1));
ALTER TABLE knowledge_sources ADD COLUMN crawl TEXT CHECK (json_valid(crawl));
ALTER TABLE knowledge_sources ADD COLUMN progress TEXT CHECK (json_valid(progress));
ALTER TABLE knowledge_sources ADD COLUMN synced_at INTEGER;
-- The reading that it is answered from.
ALTER TABLE knowledge_sources ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
-- The reading under way, and the newest number that one was given.
ALTER TABLE knowledge_sources ADD COLUMN draft INTEGER;
ALTER TABLE knowledge_sources ADD COLUMN drafts INTEGER NOT NULL DEFAULT 0;
-- They may be many, and so come last: what finding a chunk reads of its source is read without them.
ALTER TABLE knowledge_sources ADD COLUMN unread TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(unread));
UPDATE knowledge_sources SET unread = failures;
ALTER TABLE knowledge_sources DROP COLUMN failures;
ALTER TABLE knowledge_sources RENAME COLUMN unread TO failures;

-- The same table with a further column in its key, which SQLite can't add to one that is there.
CREATE TABLE chunks (
    tenant_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    -- The reading that made it. Those of any but the source's own generation are never seen.
    generation INTEGER NOT NULL,
    chunk_index INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    content TEXT NOT NULL,
    heading TEXT,
    page INTEGER,
    url TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, source_id, generation, chunk_index),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO chunks
SELECT tenant_id, source_id, 0, chunk_index, id, bot_id, content, heading, page, url, created_at
FROM knowledge_chunks ORDER BY tenant_id, source_id, chunk_index;
DROP TABLE knowledge_chunks;
ALTER TABLE chunks RENAME TO knowledge_chunks;
CREATE UNIQUE INDEX knowledge_chunks_id ON knowledge_chunks (tenant_id, id);

-- The pages of a website as they were last read. Markdown comes last, so that the rest is read without it.
CREATE TABLE knowledge_pages (
    tenant_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    url TEXT NOT NULL,
    position INTEGER NOT NULL,
    -- The readings that first brought it, that last saw it, and that last found it changed.
    added INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    etag TEXT,
    last_modified TEXT,
    content_hash TEXT NOT NULL,
    title TEXT NOT NULL,
    markdown TEXT NOT NULL,
    PRIMARY KEY (tenant_id, source_id, url),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX knowledge_pages_seen ON knowledge_pages (tenant_id, source_id, seen, position);

-- One of each kind for a source. When a job was made says nothing: when it is due does.
DROP INDEX jobs_source;
CREATE UNIQUE INDEX jobs_source ON jobs (tenant_id, source_id, kind);
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (kind, due_at);
ALTER TABLE jobs DROP COLUMN created_at;

-- Websites that were read before it was kept how: as that was done then, so that they can be read again.
UPDATE knowledge_sources
SET synced_at = created_at,
    crawl = json_object(
        'include_subpages', json(CASE WHEN coalesce(pages, 1) > 1 OR failures <> '[]' THEN 'true' ELSE 'false' END),
        'scope', 'origin',
        'max_pages', max(coalesce(pages, 0), 5),
        'resync_hours', NULL)
WHERE source_type = 'url';
