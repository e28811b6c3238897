-- One row a month where the plan has limits (shard 0), several where it has none, so that turns of one
-- tenant need not wait for each other.
CREATE TABLE usage_counters (
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Year times 100 plus month.
    month integer NOT NULL,
    shard integer NOT NULL,
    conversations bigint NOT NULL DEFAULT 0 CHECK (conversations >= 0),
    messages bigint NOT NULL DEFAULT 0 CHECK (messages >= 0),
    -- Answers that are being made: room is kept for them.
    reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    reserved_at timestamptz,
    PRIMARY KEY (tenant_id, month, shard)
    -- Room in each page, so that a counter is updated in place.
) WITH (fillfactor = 50);

ALTER TABLE usage_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_counters FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON usage_counters USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
