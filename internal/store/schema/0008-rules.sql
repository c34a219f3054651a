-- Rule sets that are or were in use, and what was done with them. Times are Unix milliseconds.
CREATE TABLE rules_set (
	hash  TEXT PRIMARY KEY,
	size  BIGINT NOT NULL,   -- octets of all its files
	files {blob} NOT NULL    -- internal/rulebook, packed
);

CREATE TABLE rules_event (
	id      TEXT PRIMARY KEY,
	at      BIGINT NOT NULL,
	gateway TEXT NOT NULL,   -- its name where several share the store
	what    TEXT NOT NULL,   -- start, reload, canary, ...
	hash    TEXT NOT NULL,   -- of the set that it is about
	actor   TEXT NOT NULL,
	note    TEXT NOT NULL    -- JSON: what is different, why
);
CREATE INDEX rules_event_at ON rules_event (at);

CREATE TABLE rules_use (
	gateway TEXT PRIMARY KEY,
	state   TEXT NOT NULL    -- JSON
);
