-- How far visitors' messages have been learned from, and since when there is something to learn. What was there before
-- is due at once.
ALTER TABLE conversations ADD COLUMN learned_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN learn_due INTEGER DEFAULT 0;
CREATE INDEX conversations_learn ON conversations (learn_due) WHERE learn_due IS NOT NULL;

-- What a bot's messages are read with.
CREATE TABLE bot_learning (
    tenant_id BLOB NOT NULL,
    bot_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    -- The catalogue: a list.
    products TEXT NOT NULL CHECK (json_valid(products)),
    -- Of conversations after this one the products are to be looked for again.
    again_after BLOB,
    PRIMARY KEY (tenant_id, bot_id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX bot_learning_again ON bot_learning (tenant_id, bot_id) WHERE again_after IS NOT NULL;

-- What was learned from visitors' messages. Days are Julian day numbers (UTC).
CREATE TABLE learned_messages (
    tenant_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    bot_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    sentiment TEXT NOT NULL,
    score REAL NOT NULL,
    intent TEXT,
    intent_score REAL,
    PRIMARY KEY (tenant_id, conversation_id, seq),
    FOREIGN KEY (tenant_id, conversation_id, seq) REFERENCES messages (tenant_id, conversation_id, seq)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX learned_messages_sentiment ON learned_messages (tenant_id, bot_id, day, sentiment, score);
CREATE INDEX learned_messages_intent ON learned_messages (tenant_id, bot_id, day, intent, intent_score)
    WHERE intent IS NOT NULL;

-- The products that they speak of.
CREATE TABLE learned_mentions (
    tenant_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    -- The same for all spellings.
    product TEXT NOT NULL,
    -- Null: it is in no catalogue.
    product_id TEXT,
    name TEXT NOT NULL,
    bot_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    sentiment TEXT NOT NULL,
    score REAL NOT NULL,
    PRIMARY KEY (tenant_id, conversation_id, seq, product),
    FOREIGN KEY (tenant_id, conversation_id, seq) REFERENCES messages (tenant_id, conversation_id, seq)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX learned_mentions_day ON learned_mentions (tenant_id, bot_id, day, product);

-- Those that ask something, in groups.
CREATE TABLE learned_questions (
    tenant_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    bot_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    group_id BLOB NOT NULL CHECK (length(group_id) = 16),
    answered INTEGER NOT NULL CHECK (answered IN (0, 1)),
    -- How many of the group were nearest to it; null: none is compared with it.
    exemplar_count INTEGER,
    PRIMARY KEY (tenant_id, conversation_id, seq),
    FOREIGN KEY (tenant_id, conversation_id, seq) REFERENCES messages (tenant_id, conversation_id, seq)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX learned_questions_day ON learned_questions (tenant_id, bot_id, day, group_id, answered);
CREATE INDEX learned_questions_group ON learned_questions (tenant_id, bot_id, group_id);
CREATE INDEX learned_questions_exemplars ON learned_questions (tenant_id, bot_id, group_id)
    WHERE exemplar_count IS NOT NULL;

-- People who are being erased; each goes once that is done.
CREATE TABLE erasures (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    bot_id BLOB NOT NULL,
    person TEXT NOT NULL CHECK (json_valid(person)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The customer that this one turned out to be, if another; and whether that is still to be looked for.
ALTER TABLE end_users ADD COLUMN same_as BLOB;
ALTER TABLE end_users ADD COLUMN unmerged INTEGER NOT NULL DEFAULT 1 CHECK (unmerged IN (0, 1));
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
