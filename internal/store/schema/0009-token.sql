-- Tokens of the API over the network. The secret is not here, only its hash.
CREATE TABLE token (
	id       TEXT PRIMARY KEY,
	name     TEXT NOT NULL,      -- whose it is, for the record of who did what
	role     TEXT NOT NULL,
	domains  TEXT NOT NULL,      -- separated by spaces; '' all
	hash     TEXT NOT NULL,      -- SHA-256 of the secret, which has 256 bits of chance
	created  BIGINT NOT NULL,
	expires  BIGINT NOT NULL,
	used     BIGINT NOT NULL,    -- last, to the hour; 0 never
	failures BIGINT NOT NULL,    -- wrong secrets since the last right one
	locked   BIGINT NOT NULL,    -- until then; 0 not
	revoked  BIGINT NOT NULL     -- when; 0 not
);

-- Whose a held message is, without unsealing it. What was held before is nobody's but the
-- administrator's.
ALTER TABLE quarantine ADD COLUMN outbound SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN domains TEXT NOT NULL DEFAULT '';  -- of the recipients, separated by spaces
CREATE INDEX quarantine_newest ON quarantine (held DESC, id);
DROP INDEX quarantine_held;
