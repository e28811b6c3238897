-- Whether changes wait for an evaluation.
ALTER TABLE bots ADD COLUMN evaluation_gate boolean NOT NULL DEFAULT false;

-- The change that an evaluation decides on, and whether it was made.
ALTER TABLE evaluations
    ADD COLUMN change jsonb,
    ADD COLUMN published boolean;
