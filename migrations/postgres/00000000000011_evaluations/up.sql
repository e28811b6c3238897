CREATE TABLE evaluations (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    status text NOT NULL,
    case_count bigint NOT NULL,
    -- The figures of the cases that have a result.
    score jsonb NOT NULL,
    error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX evaluations_bot ON evaluations (tenant_id, bot_id, created_at, id);

CREATE TABLE evaluation_cases (
    tenant_id uuid NOT NULL,
    evaluation_id uuid NOT NULL,
    position bigint NOT NULL,
    question text NOT NULL,
    expected jsonb NOT NULL,
    -- Null: not put to the bot yet.
    result jsonb,
    PRIMARY KEY (tenant_id, evaluation_id, position),
    FOREIGN KEY (tenant_id, evaluation_id) REFERENCES evaluations (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE evaluations ENABLE ROW LEVEL SECURITY;
ALTER TABLE evaluations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON evaluations USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE evaluation_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE evaluation_cases FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON evaluation_cases USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

-- Jobs are about a source or about an evaluation.
ALTER TABLE jobs
    ALTER COLUMN source_id DROP NOT NULL,
    ADD COLUMN evaluation_id uuid,
    ADD FOREIGN KEY (tenant_id, evaluation_id) REFERENCES evaluations (tenant_id, id) ON DELETE CASCADE,
    ADD CHECK ((source_id IS NULL) <> (evaluation_id IS NULL));
CREATE UNIQUE INDEX jobs_evaluation ON jobs (tenant_id, evaluation_id, kind);
