-- Keys of one bot; null: the tenant's own.
ALTER TABLE api_keys
    ADD COLUMN bot_id uuid,
    ADD FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE;
CREATE INDEX api_keys_bot ON api_keys (tenant_id, bot_id);

-- What the person thought of the message.
ALTER TABLE messages ADD COLUMN feedback text;
CREATE INDEX messages_feedback ON messages (tenant_id, created_at) WHERE feedback IS NOT NULL;

-- How the person felt; null: nobody has looked yet.
ALTER TABLE conversations ADD COLUMN sentiment text;
-- Whether an order is attributed to it.
ALTER TABLE conversations ADD COLUMN purchased boolean NOT NULL DEFAULT false;

-- The products that a conversation is about: in lower case to be found by, and as they are written.
CREATE TABLE conversation_products (
    tenant_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    product text NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (tenant_id, conversation_id, product),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX end_users_newest ON end_users (tenant_id, bot_id, created_at, id);

-- An address that a person gave a bot, as first given. In lower case.
CREATE TABLE leads (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    end_user_id uuid NOT NULL,
    -- The conversation may be gone.
    conversation_id uuid NOT NULL,
    email text NOT NULL,
    name text,
    origin text NOT NULL,
    -- Null: not asked.
    consent boolean,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, end_user_id) REFERENCES end_users (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX leads_email ON leads (tenant_id, bot_id, email);
CREATE INDEX leads_newest ON leads (tenant_id, bot_id, created_at, id);
CREATE INDEX leads_end_user ON leads (tenant_id, end_user_id);

-- What visitors did beside writing, as a widget or a shop tells it, each once by the teller's own id. Days are
-- Julian day numbers (UTC).
CREATE TABLE visitor_events (
    tenant_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    day integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    conversation_id uuid,
    customer text,
    product text,
    PRIMARY KEY (tenant_id, bot_id, event_id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX visitor_events_day ON visitor_events (tenant_id, bot_id, day, kind);

-- Orders outlive the conversations that they came from.
CREATE TABLE orders (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    external_id text NOT NULL,
    -- In the currency's smallest unit.
    amount bigint NOT NULL CHECK (amount >= 0),
    currency text NOT NULL,
    customer_id text,
    customer_email text,
    customer_name text,
    conversation_id uuid,
    day integer NOT NULL,
    ordered_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX orders_external ON orders (tenant_id, bot_id, external_id);
CREATE INDEX orders_newest ON orders (tenant_id, bot_id, ordered_at, id);
CREATE INDEX orders_day ON orders (tenant_id, bot_id, day);

ALTER TABLE conversation_products ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation_products FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON conversation_products USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE leads FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON leads USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE visitor_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE visitor_events FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON visitor_events USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON orders USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
