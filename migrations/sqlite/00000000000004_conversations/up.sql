CREATE TABLE end_users (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    channel TEXT NOT NULL,
    identifier TEXT,
    name TEXT,
    email TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX end_users_identifier ON end_users (tenant_id, bot_id, channel, identifier);

CREATE TABLE conversations (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    session_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    status TEXT NOT NULL,
    end_user_id BLOB NOT NULL,
    tags TEXT NOT NULL CHECK (json_valid(tags)),
    last_seq INTEGER NOT NULL,
    last_author TEXT NOT NULL,
    last_message_at INTEGER NOT NULL,
    -- Where its messages are counted against the plan.
    usage_shard INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, end_user_id) REFERENCES end_users (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX conversations_session ON conversations (tenant_id, session_id);
CREATE INDEX conversations_newest ON conversations (tenant_id, created_at, id);
CREATE INDEX conversations_bot ON conversations (tenant_id, bot_id);
CREATE INDEX conversations_end_user ON conversations (tenant_id, end_user_id);
-- Those that may have been abandoned.
CREATE INDEX conversations_waiting ON conversations (last_message_at) WHERE status = 'active' AND last_author = 'bot';

CREATE TABLE messages (
    tenant_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    author TEXT NOT NULL,
    message_type TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    text TEXT NOT NULL,
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    reply_to BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, conversation_id, seq),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX messages_id ON messages (tenant_id, id);
