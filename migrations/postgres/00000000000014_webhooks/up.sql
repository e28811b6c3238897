CREATE TABLE webhook_endpoints (
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    url text NOT NULL,
    -- The kinds that it gets: a list of words.
    events jsonb NOT NULL,
    description text,
    -- Null: it is enabled.
    disabled_reason text,
    disabled_at timestamptz,
    failed_rounds bigint NOT NULL DEFAULT 0,
    failing_since timestamptz,
    paused_until timestamptz,
    -- Signing keys, sealed.
    signing_key bytea NOT NULL,
    previous_key bytea,
    previous_until timestamptz,
    -- Grows with every lease, and so tells the holder of a lease from those who had it before.
    leases bigint NOT NULL DEFAULT 0,
    leased_at timestamptz NOT NULL,
    lease_until timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE webhook_events (
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    bot_id uuid,
    kind text NOT NULL,
    -- What it is about: events of one subject are delivered in order.
    subject uuid NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_events_subject ON webhook_events (tenant_id, subject);
CREATE INDEX webhook_events_bot ON webhook_events (tenant_id, bot_id);
CREATE INDEX webhook_events_age ON webhook_events (created_at);

CREATE TABLE webhook_deliveries (
    tenant_id uuid NOT NULL,
    -- The order of events of a subject.
    seq bigint GENERATED ALWAYS AS IDENTITY,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    subject uuid NOT NULL,
    status text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    -- Null: it is pending no more.
    due_at timestamptz,
    last_status integer,
    last_error text,
    last_attempt_at timestamptz,
    PRIMARY KEY (tenant_id, endpoint_id, event_id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, event_id) REFERENCES webhook_events (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (tenant_id, endpoint_id, subject, seq)
    WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant_id, endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (tenant_id, endpoint_id, seq);
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (tenant_id, event_id);

ALTER TABLE webhook_endpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_endpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON webhook_endpoints USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_events FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON webhook_events USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON webhook_deliveries USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
