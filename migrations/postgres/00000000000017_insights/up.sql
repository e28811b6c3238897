-- How far visitors' messages have been learned from, and since when there is something to learn. What was there before
-- is due at once.
ALTER TABLE conversations
    ADD COLUMN learned_seq bigint NOT NULL DEFAULT 0,
    ADD COLUMN learn_due timestamptz DEFAULT '1970-01-01 00:00:00+00';
CREATE INDEX conversations_learn ON conversations (learn_due) WHERE learn_due IS NOT NULL;
-- In the order in which they began, so that all of a bot can be gone through in parts.
DROP INDEX conversations_bot;
CREATE INDEX conversations_bot ON conversations (tenant_id, bot_id, id);

-- What a bot's messages are read with.
CREATE TABLE bot_learning (
    tenant_id uuid NOT NULL,
    bot_id uuid NOT NULL,
    version bigint NOT NULL,
    -- The catalogue: a list.
    products jsonb NOT NULL,
    -- Of conversations after this one the products are to be looked for again.
    again_after uuid,
    PRIMARY KEY (tenant_id, bot_id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX bot_learning_again ON bot_learning (tenant_id, bot_id) WHERE again_after IS NOT NULL;

-- What was learned from visitors' messages. Days are Julian day numbers (UTC).
CREATE TABLE learned_messages (
    tenant_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    seq bigint NOT NULL,
    bot_id uuid NOT NULL,
    day integer NOT NULL,
    sentiment text NOT NULL,
    score double precision NOT NULL,
    intent text,
    intent_score double precision,
    PRIMARY KEY (tenant_id, conversation_id, seq),
    FOREIGN KEY (tenant_id, conversation_id, seq) REFERENCES messages (tenant_id, conversation_id, seq)
        ON DELETE CASCADE
);
CREATE INDEX learned_messages_sentiment ON learned_messages (tenant_id, bot_id, day, sentiment, score);
CREATE INDEX learned_messages_intent ON learned_messages (tenant_id, bot_id, day, intent, intent_score)
    WHERE intent IS NOT NULL;

-- The products that they speak of.
CREATE TABLE learned_mentions (
    tenant_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    seq bigint NOT NULL,
    -- The same for all spellings.
    product text NOT NULL,
    -- Null: it is in no catalogue.
    product_id text,
    name text NOT NULL,
    bot_id uuid NOT NULL,
    day integer NOT NULL,
    sentiment text NOT NULL,
    score double precision NOT NULL,
    PRIMARY KEY (tenant_id, conversation_id, seq, product),
    FOREIGN KEY (tenant_id, conversation_id, seq) REFERENCES messages (tenant_id, conversation_id, seq)
        ON DELETE CASCADE
);
CREATE INDEX learned_mentions_day ON learned_mentions (tenant_id, bot_id, day, product);

-- Those that ask something, in groups.
CREATE TABLE learned_questions (
    tenant_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    seq bigint NOT NULL,
    bot_id uuid NOT NULL,
    day integer NOT NULL,
    group_id uuid NOT NULL,
    answered boolean NOT NULL,
    -- How many of the group were nearest to it; null: none is compared with it.
    exemplar_count bigint,
    PRIMARY KEY (tenant_id, conversation_id, seq),
    FOREIGN KEY (tenant_id, conversation_id, seq) REFERENCES messages (tenant_id, conversation_id, seq)
        ON DELETE CASCADE
);
CREATE INDEX learned_questions_day ON learned_questions (tenant_id, bot_id, day, group_id, answered);
CREATE INDEX learned_questions_group ON learned_questions (tenant_id, bot_id, group_id);
CREATE INDEX learned_questions_exemplars ON learned_questions (tenant_id, bot_id, group_id)
    WHERE exemplar_count IS NOT NULL;

-- People who are being erased; each goes once that is done.
CREATE TABLE erasures (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot_id uuid NOT NULL,
    person jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
);

-- The customer that this one turned out to be, if another; and whether that is still to be looked for.
ALTER TABLE end_users ADD COLUMN same_as uuid, ADD COLUMN unmerged boolean NOT NULL DEFAULT true;
CREATE INDEX end_users_unmerged ON end_users (tenant_id, id) WHERE unmerged;
CREATE INDEX end_users_same ON end_users (tenant_id, same_as) WHERE same_as IS NOT NULL;

-- By which all of a person is found.
CREATE INDEX end_users_person ON end_users (tenant_id, bot_id, identifier) WHERE identifier IS NOT NULL;
CREATE INDEX end_users_email ON end_users (tenant_id, bot_id, lower(email)) WHERE email IS NOT NULL;
CREATE INDEX orders_conversation ON orders (tenant_id, conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX orders_customer ON orders (tenant_id, bot_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX orders_email ON orders (tenant_id, bot_id, customer_email) WHERE customer_email IS NOT NULL;
CREATE INDEX visitor_events_conversation ON visitor_events (tenant_id, conversation_id)
    WHERE conversation_id IS NOT NULL;
CREATE INDEX visitor_events_customer ON visitor_events (tenant_id, bot_id, customer) WHERE customer IS NOT NULL;
CREATE INDEX idempotency_keys_operation ON idempotency_keys (tenant_id, operation_id);

ALTER TABLE bot_learning ENABLE ROW LEVEL SECURITY;
ALTER TABLE bot_learning FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON bot_learning USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE learned_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE learned_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON learned_messages USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE learned_mentions ENABLE ROW LEVEL SECURITY;
ALTER TABLE learned_mentions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON learned_mentions USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE learned_questions ENABLE ROW LEVEL SECURITY;
ALTER TABLE learned_questions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON learned_questions USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');

ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON erasures USING
    (tenant_id::text = current_setting('botwright.tenant', true) OR current_setting('botwright.tenant', true) = '*');
