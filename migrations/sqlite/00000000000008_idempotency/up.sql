CREATE TABLE idempotency_keys (
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    operation_id BLOB NOT NULL CHECK (length(operation_id) = 16),
    begun_at INTEGER NOT NULL,
    -- Somebody is at it. False once it came to nothing, and may be tried again at once.
    under_way INTEGER NOT NULL CHECK (under_way IN (0, 1)),
    -- The answer, once there is one.
    status INTEGER,
    content_type TEXT,
    body BLOB,
    PRIMARY KEY (tenant_id, key)
) STRICT;
CREATE INDEX idempotency_keys_begun ON idempotency_keys (begun_at);
