CREATE TABLE agent_loops (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    -- Instructions, model, tools, limits.
    program jsonb NOT NULL,
    cron text,
    -- The kinds that start it: a list of words.
    events jsonb NOT NULL,
    -- Whether it is enabled and any kinds do.
    listens boolean NOT NULL,
    enabled boolean NOT NULL,
    next_run_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_loops_bot ON agent_loops (tenant_id, bot_id, listens);
CREATE INDEX agent_loops_newest ON agent_loops (tenant_id, created_at, id);
CREATE INDEX agent_loops_due ON agent_loops (next_run_at) WHERE next_run_at IS NOT NULL;

CREATE TABLE executions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    loop_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    -- What the event is about that began it.
    subject uuid,
    started_by text NOT NULL,
    status text NOT NULL,
    input jsonb NOT NULL,
    -- The loop's, as it was then.
    program jsonb NOT NULL,
    result text,
    error text,
    step_count bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, loop_id) REFERENCES agent_loops (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX executions_loop ON executions (tenant_id, loop_id, created_at, id);
CREATE INDEX executions_open ON executions (tenant_id, loop_id, status) WHERE ended_at IS NULL;
CREATE INDEX executions_subject ON executions (tenant_id, subject) WHERE subject IS NOT NULL;
CREATE INDEX executions_ended ON executions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE execution_steps (
    tenant_id uuid NOT NULL,
    execution_id uuid NOT NULL,
    number bigint NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    call jsonb,
    text text NOT NULL,
    model text,
    tokens jsonb,
    attempts bigint NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, execution_id, number),
    FOREIGN KEY (tenant_id, execution_id) REFERENCES executions (tenant_id, id) ON DELETE CASCADE
);
-- What a step wrote into a conversation has its id.
CREATE UNIQUE INDEX execution_steps_id ON execution_steps (tenant_id, id);

ALTER TABLE agent_loops ENABLE ROW LEVEL SECURITY;
ALTER TABLE agent_loops FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON agent_loops USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE executions ENABLE ROW LEVEL SECURITY;
ALTER TABLE executions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON executions USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE execution_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE execution_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON execution_steps USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

-- Jobs are about one thing of these.
ALTER TABLE jobs
    DROP CONSTRAINT jobs_check,
    ADD COLUMN execution_id uuid,
    ADD FOREIGN KEY (tenant_id, execution_id) REFERENCES executions (tenant_id, id) ON DELETE CASCADE,
    ADD CHECK (num_nonnulls(source_id, evaluation_id, execution_id) = 1);
CREATE UNIQUE INDEX jobs_execution ON jobs (tenant_id, execution_id, kind);
