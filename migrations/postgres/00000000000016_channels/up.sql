CREATE TABLE channels (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL UNIQUE,
    bot_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    settings jsonb NOT NULL,
    -- Sealed.
    credentials bytea NOT NULL,
    status text NOT NULL,
    reason text,
    account text,
    -- Grows with every change.
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX channels_newest ON channels (tenant_id, bot_id, created_at, id);

-- The conversations of a channel that something came for lately: what is leased, so that each is answered in order.
CREATE TABLE channel_conversations (
    tenant_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    session_id text NOT NULL,
    -- Null: nothing waits.
    due_at timestamptz,
    -- Grows with every lease, and so tells the holder of a lease from those who had it before.
    leases bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    last_received_at timestamptz NOT NULL,
    -- The way back of the last message: what the bot says on its own goes there.
    reply jsonb,
    PRIMARY KEY (tenant_id, channel_id, session_id),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX channel_conversations_due ON channel_conversations (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX channel_conversations_age ON channel_conversations (last_received_at);

CREATE TABLE channel_messages (
    tenant_id uuid NOT NULL,
    -- The order of messages of a conversation.
    seq bigint GENERATED ALWAYS AS IDENTITY,
    channel_id uuid NOT NULL,
    session_id text NOT NULL,
    -- That of the visitor's message.
    id uuid NOT NULL,
    -- The platform's: what comes again is known by it.
    platform_id text NOT NULL,
    -- The bot's own, only to be sent.
    is_own boolean NOT NULL DEFAULT false,
    -- Words, person, way back; null: it waits no more.
    content jsonb,
    attempts integer NOT NULL DEFAULT 0,
    -- Parts of the answer that were sent.
    parts integer NOT NULL DEFAULT 0,
    -- What was in the way last, or why it was given up.
    error text,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, channel_id, platform_id),
    FOREIGN KEY (tenant_id, channel_id, session_id)
        REFERENCES channel_conversations (tenant_id, channel_id, session_id) ON DELETE CASCADE
);
CREATE INDEX channel_messages_conversation ON channel_messages (tenant_id, channel_id, session_id);
CREATE INDEX channel_messages_order ON channel_messages (tenant_id, channel_id, session_id, seq) WHERE content IS NOT NULL;
CREATE INDEX channel_messages_waiting ON channel_messages (received_at) WHERE content IS NOT NULL;
CREATE INDEX channel_messages_age ON channel_messages (received_at);

ALTER TABLE channels ENABLE ROW LEVEL SECURITY;
ALTER TABLE channels FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON channels USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE channel_conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE channel_conversations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON channel_conversations USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE channel_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE channel_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON channel_messages USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
