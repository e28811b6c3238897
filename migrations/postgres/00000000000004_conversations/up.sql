CREATE TABLE end_users (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    channel text NOT NULL,
    identifier text,
    name text,
    email text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX end_users_identifier ON end_users (tenant_id, bot_id, channel, identifier);

CREATE TABLE conversations (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    session_id text NOT NULL,
    channel text NOT NULL,
    status text NOT NULL,
    end_user_id uuid NOT NULL,
    tags jsonb NOT NULL,
    last_seq bigint NOT NULL,
    last_author text NOT NULL,
    last_message_at timestamptz NOT NULL,
    -- Where its messages are counted against the plan.
    usage_shard integer NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, end_user_id) REFERENCES end_users (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX conversations_session ON conversations (tenant_id, session_id);
CREATE INDEX conversations_newest ON conversations (tenant_id, created_at, id);
CREATE INDEX conversations_bot ON conversations (tenant_id, bot_id);
CREATE INDEX conversations_end_user ON conversations (tenant_id, end_user_id);
-- Those that may have been abandoned.
CREATE INDEX conversations_waiting ON conversations (last_message_at) WHERE status = 'active' AND last_author = 'bot';

CREATE TABLE messages (
    tenant_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    author text NOT NULL,
    message_type text NOT NULL,
    payload jsonb NOT NULL,
    text text NOT NULL,
    metadata jsonb NOT NULL,
    reply_to uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, conversation_id, seq),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX messages_id ON messages (tenant_id, id);

ALTER TABLE end_users ENABLE ROW LEVEL SECURITY;
ALTER TABLE end_users FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON end_users USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON conversations USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON messages USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
