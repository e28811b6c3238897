CREATE TABLE idempotency_keys (
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    key text NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    operation_id uuid NOT NULL,
    begun_at timestamptz NOT NULL,
    -- Somebody is at it. False once it came to nothing, and may be tried again at once.
    under_way boolean NOT NULL,
    -- The answer, once there is one.
    status integer,
    content_type text,
    body bytea,
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_keys_begun ON idempotency_keys (begun_at);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON idempotency_keys USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
