-- Days are Julian day numbers (UTC).
CREATE TABLE conversation_stats (
    tenant_id BLOB NOT NULL,
    bot_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    channel TEXT NOT NULL,
    status TEXT NOT NULL,
    shard INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (tenant_id, bot_id, day, channel, status, shard),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- Active conversations are counted whenever they began; old days have none left.
CREATE INDEX conversation_stats_active ON conversation_stats (tenant_id) WHERE status = 'active' AND count > 0;

CREATE TABLE message_stats (
    tenant_id BLOB NOT NULL,
    bot_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (tenant_id, bot_id, day, shard),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
