-- Whether changes wait for an evaluation.
ALTER TABLE bots ADD COLUMN evaluation_gate INTEGER NOT NULL DEFAULT 0 CHECK (evaluation_gate IN (0, 1));

-- The change that an evaluation decides on, and whether it was made.
ALTER TABLE evaluations ADD COLUMN change TEXT CHECK (json_valid(change));
ALTER TABLE evaluations ADD COLUMN published INTEGER CHECK (published IN (0, 1));
