-- Whose a queued message is: a sender's domain says it only of what one of ours has sent.
-- What was queued before is its recipients' alone.
ALTER TABLE queue ADD COLUMN outbound SMALLINT NOT NULL DEFAULT 0;
