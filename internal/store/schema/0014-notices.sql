-- Letters that the gateway itself writes.

-- The last digest that went to an address. A digest is queued in the transaction that
-- moves its row on, so there is one a day, whoever of several gateways sends it.
CREATE TABLE digest (
	address TEXT PRIMARY KEY,
	day     TEXT NOT NULL,    -- such as 2026-11-28
	upto    BIGINT NOT NULL   -- what was held up to then has been listed
);

-- Codes that have been used, by hash, each in the transaction of its release.
CREATE TABLE digest_used (
	code  TEXT PRIMARY KEY,
	reply TEXT NOT NULL,      -- hash of the letter that used it
	at    BIGINT NOT NULL
);
CREATE INDEX digest_used_at ON digest_used (at);

-- Letters to the gateway that have been answered, by hash.
CREATE TABLE notice_answered (
	letter TEXT PRIMARY KEY,
	at     BIGINT NOT NULL
);
CREATE INDEX notice_answered_at ON notice_answered (at);

-- How many notices an address has had in an hour.
CREATE TABLE notice_count (
	address TEXT NOT NULL,
	hour    BIGINT NOT NULL,
	n       BIGINT NOT NULL,
	PRIMARY KEY (address, hour)
);
