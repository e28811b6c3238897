ALTER TABLE knowledge_sources
    ADD COLUMN enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN crawl jsonb,
    ADD COLUMN progress jsonb,
    ADD COLUMN synced_at timestamptz,
    -- The reading that it is answered from.
    ADD COLUMN generation bigint NOT NULL DEFAULT 0,
    -- The reading under way, and the newest number that one was given.
    ADD COLUMN draft bigint,
    ADD COLUMN drafts bigint NOT NULL DEFAULT 0;

-- The reading that made it. Those of any but the source's own generation are never seen.
ALTER TABLE knowledge_chunks ADD COLUMN generation bigint NOT NULL DEFAULT 0;
ALTER TABLE knowledge_chunks DROP CONSTRAINT knowledge_chunks_pkey;
ALTER TABLE knowledge_chunks ADD PRIMARY KEY (tenant_id, source_id, generation, chunk_index);

-- The pages of a website as they were last read.
CREATE TABLE knowledge_pages (
    tenant_id uuid NOT NULL,
    source_id uuid NOT NULL,
    url text NOT NULL,
    position bigint NOT NULL,
    -- The readings that first brought it, that last saw it, and that last found it changed.
    added bigint NOT NULL,
    seen bigint NOT NULL,
    changed bigint NOT NULL,
    etag text,
    last_modified text,
    content_hash text NOT NULL,
    title text NOT NULL,
    markdown text NOT NULL,
    PRIMARY KEY (tenant_id, source_id, url),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX knowledge_pages_seen ON knowledge_pages (tenant_id, source_id, seen, position);

ALTER TABLE knowledge_pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge_pages FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON knowledge_pages USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

-- One of each kind for a source. When a job was made says nothing: when it is due does.
DROP INDEX jobs_source;
CREATE UNIQUE INDEX jobs_source ON jobs (tenant_id, source_id, kind);
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (kind, due_at);
ALTER TABLE jobs DROP COLUMN created_at;

-- Websites that were read before it was kept how: as that was done then, so that they can be read again.
SET LOCAL botwright.tenant = '*';
UPDATE knowledge_sources
SET synced_at = created_at,
    crawl = jsonb_build_object(
        'include_subpages', coalesce(pages, 1) > 1 OR failures <> '[]',
        'scope', 'origin',
        'max_pages', greatest(pages, 5),
        'resync_hours', NULL)
WHERE source_type = 'url';
