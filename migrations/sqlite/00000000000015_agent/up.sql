-- Keys of one bot. SQLite can't add a foreign key of two columns to a table that is there.
CREATE TABLE keys (
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    -- Null: the tenant's own.
    bot_id BLOB,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO keys SELECT tenant_id, id, NULL, hash, prefix, name, created_at, last_used_at, revoked_at FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE keys RENAME TO api_keys;
CREATE INDEX api_keys_bot ON api_keys (tenant_id, bot_id);

-- What the person thought of the message.
ALTER TABLE messages ADD COLUMN feedback TEXT;
CREATE INDEX messages_feedback ON messages (tenant_id, created_at) WHERE feedback IS NOT NULL;

-- How the person felt; null: nobody has looked yet.
ALTER TABLE conversations ADD COLUMN sentiment TEXT;
-- Whether an order is attributed to it.
ALTER TABLE conversations ADD COLUMN purchased INTEGER NOT NULL DEFAULT 0 CHECK (purchased IN (0, 1));

-- The products that a conversation is about: in lower case to be found by, and as they are written.
CREATE TABLE conversation_products (
    tenant_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    product TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant_id, conversation_id, product),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX end_users_newest ON end_users (tenant_id, bot_id, created_at, id);

-- An address that a person gave a bot, as first given. In lower case.
CREATE TABLE leads (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    end_user_id BLOB NOT NULL,
    -- The conversation may be gone.
    conversation_id BLOB NOT NULL,
    email TEXT NOT NULL,
    name TEXT,
    origin TEXT NOT NULL,
    -- Null: not asked.
    consent INTEGER CHECK (consent IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, end_user_id) REFERENCES end_users (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX leads_email ON leads (tenant_id, bot_id, email);
CREATE INDEX leads_newest ON leads (tenant_id, bot_id, created_at, id);
CREATE INDEX leads_end_user ON leads (tenant_id, end_user_id);

-- What visitors did beside writing, as a widget or a shop tells it, each once by the teller's own id. Days are
-- Julian day numbers (UTC).
CREATE TABLE visitor_events (
    tenant_id BLOB NOT NULL,
    bot_id BLOB NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    day INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    conversation_id BLOB,
    customer TEXT,
    product TEXT,
    PRIMARY KEY (tenant_id, bot_id, event_id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX visitor_events_day ON visitor_events (tenant_id, bot_id, day, kind);

-- Orders outlive the conversations that they came from.
CREATE TABLE orders (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    external_id TEXT NOT NULL,
    -- In the currency's smallest unit.
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    customer_id TEXT,
    customer_email TEXT,
    customer_name TEXT,
    conversation_id BLOB,
    day INTEGER NOT NULL,
    ordered_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX orders_external ON orders (tenant_id, bot_id, external_id);
CREATE INDEX orders_newest ON orders (tenant_id, bot_id, ordered_at, id);
CREATE INDEX orders_day ON orders (tenant_id, bot_id, day);
