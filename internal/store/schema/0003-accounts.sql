-- Accounts of SMTP AUTH, and how many recipients each has sent to.
CREATE TABLE account (
	name     TEXT PRIMARY KEY,
	agency   TEXT NOT NULL,      -- of the settings; '' when it has domains of its own
	domains  TEXT NOT NULL,      -- separated by spaces
	hash     TEXT NOT NULL,      -- PHC string of argon2id
	disabled SMALLINT NOT NULL,
	created  BIGINT NOT NULL,
	changed  BIGINT NOT NULL
);

CREATE TABLE account_sent (
	name TEXT NOT NULL,          -- an account, or agency:NAME
	slot BIGINT NOT NULL,        -- Unix time divided by ten minutes
	n    BIGINT NOT NULL,        -- recipients, of all gateways
	PRIMARY KEY (name, slot)
);
