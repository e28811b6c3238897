CREATE TABLE channels (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    -- Sealed.
    credentials BLOB NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    account TEXT,
    -- Grows with every change.
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX channels_newest ON channels (tenant_id, bot_id, created_at, id);

-- The conversations of a channel that something came for lately: what is leased, so that each is answered in order.
CREATE TABLE channel_conversations (
    tenant_id BLOB NOT NULL,
    channel_id BLOB NOT NULL,
    session_id TEXT NOT NULL,
    -- Null: nothing waits.
    due_at INTEGER,
    -- Grows with every lease, and so tells the holder of a lease from those who had it before.
    leases INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    last_received_at INTEGER NOT NULL,
    -- The way back of the last message: what the bot says on its own goes there.
    reply TEXT CHECK (json_valid(reply)),
    PRIMARY KEY (tenant_id, channel_id, session_id),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_conversations_due ON channel_conversations (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX channel_conversations_age ON channel_conversations (last_received_at);

CREATE TABLE channel_messages (
    -- The order of messages of a conversation.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id BLOB NOT NULL,
    channel_id BLOB NOT NULL,
    session_id TEXT NOT NULL,
    -- That of the visitor's message.
    id BLOB NOT NULL CHECK (length(id) = 16),
    -- The platform's: what comes again is known by it.
    platform_id TEXT NOT NULL,
    -- The bot's own, only to be sent.
    is_own INTEGER NOT NULL DEFAULT 0 CHECK (is_own IN (0, 1)),
    -- Words, person, way back; null: it waits no more.
    content TEXT CHECK (json_valid(content)),
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Parts of the answer that were sent.
    parts INTEGER NOT NULL DEFAULT 0,
    -- What was in the way last, or why it was given up.
    error TEXT,
    received_at INTEGER NOT NULL,
    UNIQUE (tenant_id, channel_id, platform_id),
    FOREIGN KEY (tenant_id, channel_id, session_id)
        REFERENCES channel_conversations (tenant_id, channel_id, session_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX channel_messages_conversation ON channel_messages (tenant_id, channel_id, session_id);
CREATE INDEX channel_messages_order ON channel_messages (tenant_id, channel_id, session_id, seq) WHERE content IS NOT NULL;
CREATE INDEX channel_messages_waiting ON channel_messages (received_at) WHERE content IS NOT NULL;
CREATE INDEX channel_messages_age ON channel_messages (received_at);
