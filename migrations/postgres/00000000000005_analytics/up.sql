-- Days are Julian day numbers (UTC).
CREATE TABLE conversation_stats (
    tenant_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    day integer NOT NULL,
    channel text NOT NULL,
    status text NOT NULL,
    shard integer NOT NULL,
    count integer NOT NULL CHECK (count >= 0),
    PRIMARY KEY (tenant_id, bot_id, day, channel, status, shard),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) WITH (fillfactor = 50);
-- Active conversations are counted whenever they began; old days have none left.
CREATE INDEX conversation_stats_active ON conversation_stats (tenant_id) WHERE status = 'active' AND count > 0;

CREATE TABLE message_stats (
    tenant_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    day integer NOT NULL,
    shard integer NOT NULL,
    count integer NOT NULL CHECK (count >= 0),
    PRIMARY KEY (tenant_id, bot_id, day, shard),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) WITH (fillfactor = 50);

ALTER TABLE conversation_stats ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation_stats FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON conversation_stats USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE message_stats ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_stats FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON message_stats USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
