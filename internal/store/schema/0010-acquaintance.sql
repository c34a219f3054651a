-- Who has written to whom, and how often: keyed hashes only, never an address.
CREATE TABLE acquaintance (
	id     BIGINT PRIMARY KEY,   -- of a keyed hash; see package acquaint
	kind   SMALLINT NOT NULL,
	n      BIGINT NOT NULL,
	begun  BIGINT NOT NULL,      -- Unix seconds
	latest BIGINT NOT NULL
);

CREATE INDEX acquaintance_latest ON acquaintance (latest);

CREATE TABLE acquaintance_secret (
	one    SMALLINT PRIMARY KEY, -- always 1
	secret {blob} NOT NULL
);

-- The most recipients that a sender of ours had in one hour of a day.
CREATE TABLE sender_habit (
	name TEXT NOT NULL,          -- an account, or agency:NAME
	day  BIGINT NOT NULL,        -- Unix time divided by a day
	most BIGINT NOT NULL,
	PRIMARY KEY (name, day)
);

-- Senders whose mail is held until somebody has looked.
CREATE TABLE sender_hold (
	name  TEXT PRIMARY KEY,
	since BIGINT NOT NULL,       -- Unix seconds
	why   TEXT NOT NULL,
	who   TEXT NOT NULL          -- who asked for it; '' for the gateway itself
);
