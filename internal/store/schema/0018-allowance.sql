-- Senders whose letters somebody lets through for some recipients, until a time.

-- Its one row is written first by whoever writes to the table: the gateways take turns,
-- and see by n that something has changed.
CREATE TABLE allowance_turn (n BIGINT NOT NULL);
INSERT INTO allowance_turn (n) VALUES (0);

CREATE TABLE allowance (
	id      TEXT PRIMARY KEY,    -- follows from sender and recipient
	sender  TEXT NOT NULL,       -- the address in From, in lower case
	rcpt    TEXT NOT NULL,       -- an address, or a domain of an agency
	actor   TEXT NOT NULL,
	at      BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	letter  TEXT NOT NULL        -- the held message that it was given with
);
CREATE INDEX allowance_expires ON allowance (expires);
