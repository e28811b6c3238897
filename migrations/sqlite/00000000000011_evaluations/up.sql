CREATE TABLE evaluations (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    status TEXT NOT NULL,
    case_count INTEGER NOT NULL,
    -- The figures of the cases that have a result.
    score TEXT NOT NULL CHECK (json_valid(score)),
    error TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX evaluations_bot ON evaluations (tenant_id, bot_id, created_at, id);

CREATE TABLE evaluation_cases (
    tenant_id BLOB NOT NULL,
    evaluation_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    question TEXT NOT NULL,
    expected TEXT NOT NULL CHECK (json_valid(expected)),
    -- Null: not put to the bot yet.
    result TEXT CHECK (json_valid(result)),
    PRIMARY KEY (tenant_id, evaluation_id, position),
    FOREIGN KEY (tenant_id, evaluation_id) REFERENCES evaluations (tenant_id, id) ON DELETE CASCADE
) STRICT;

-- Jobs are about a source or about an evaluation. SQLite can't take a NOT NULL from a column that is there.
CREATE TABLE subjects (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    source_id BLOB,
    evaluation_id BLOB,
    -- Grows with every lease, and so tells the holder of a lease from those who had it before.
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    lease_until INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, evaluation_id) REFERENCES evaluations (tenant_id, id) ON DELETE CASCADE,
    CHECK ((source_id IS NULL) <> (evaluation_id IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO subjects SELECT tenant_id, id, kind, source_id, NULL, attempts, due_at, lease_until FROM jobs;
DROP TABLE jobs;
ALTER TABLE subjects RENAME TO jobs;
CREATE INDEX jobs_due ON jobs (kind, due_at);
CREATE UNIQUE INDEX jobs_source ON jobs (tenant_id, source_id, kind);
CREATE UNIQUE INDEX jobs_evaluation ON jobs (tenant_id, evaluation_id, kind);
