CREATE TABLE agent_loops (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    -- Instructions, model, tools, limits.
    program TEXT NOT NULL CHECK (json_valid(program)),
    cron TEXT,
    -- The kinds that start it: a list of words.
    events TEXT NOT NULL CHECK (json_valid(events)),
    -- Whether it is enabled and any kinds do.
    listens INTEGER NOT NULL CHECK (listens IN (0, 1)),
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    next_run_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX agent_loops_bot ON agent_loops (tenant_id, bot_id, listens);
CREATE INDEX agent_loops_newest ON agent_loops (tenant_id, created_at, id);
CREATE INDEX agent_loops_due ON agent_loops (next_run_at) WHERE next_run_at IS NOT NULL;

CREATE TABLE executions (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    loop_id BLOB NOT NULL,
    bot_id BLOB NOT NULL,
    -- What the event is about that began it.
    subject BLOB,
    started_by TEXT NOT NULL,
    status TEXT NOT NULL,
    input TEXT NOT NULL CHECK (json_valid(input)),
    -- The loop's, as it was then.
    program TEXT NOT NULL CHECK (json_valid(program)),
    result TEXT,
    error TEXT,
    step_count INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, loop_id) REFERENCES agent_loops (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX executions_loop ON executions (tenant_id, loop_id, created_at, id);
CREATE INDEX executions_open ON executions (tenant_id, loop_id, status) WHERE ended_at IS NULL;
CREATE INDEX executions_subject ON executions (tenant_id, subject) WHERE subject IS NOT NULL;
CREATE INDEX executions_ended ON executions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE execution_steps (
    tenant_id BLOB NOT NULL,
    execution_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    call TEXT CHECK (json_valid(call)),
    text TEXT NOT NULL,
    model TEXT,
    tokens TEXT CHECK (json_valid(tokens)),
    attempts INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    PRIMARY KEY (tenant_id, execution_id, number),
    FOREIGN KEY (tenant_id, execution_id) REFERENCES executions (tenant_id, id) ON DELETE CASCADE
) STRICT;
-- What a step wrote into a conversation has its id.
CREATE UNIQUE INDEX execution_steps_id ON execution_steps (tenant_id, id);

-- Jobs are about one thing of these. SQLite can't change a check of a table that is there.
CREATE TABLE subjects (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    source_id BLOB,
    evaluation_id BLOB,
    execution_id BLOB,
    -- Grows with every lease, and so tells the holder of a lease from those who had it before.
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    lease_until INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES knowledge_sources (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, evaluation_id) REFERENCES evaluations (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, execution_id) REFERENCES executions (tenant_id, id) ON DELETE CASCADE,
    CHECK ((source_id IS NOT NULL) + (evaluation_id IS NOT NULL) + (execution_id IS NOT NULL) = 1)
) STRICT, WITHOUT ROWID;
INSERT INTO subjects
SELECT tenant_id, id, kind, source_id, evaluation_id, NULL, attempts, due_at, lease_until FROM jobs;
DROP TABLE jobs;
ALTER TABLE subjects RENAME TO jobs;
CREATE INDEX jobs_due ON jobs (kind, due_at);
CREATE UNIQUE INDEX jobs_source ON jobs (tenant_id, source_id, kind);
CREATE UNIQUE INDEX jobs_evaluation ON jobs (tenant_id, evaluation_id, kind);
CREATE UNIQUE INDEX jobs_execution ON jobs (tenant_id, execution_id, kind);
