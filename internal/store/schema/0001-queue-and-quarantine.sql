-- Version 1: the queue and the quarantine, and the bodies that both refer to.
-- {blob} is the engine's type for octets; times are Unix milliseconds; texts are UTF-8.

CREATE TABLE probe (n BIGINT NOT NULL);
INSERT INTO probe (n) VALUES (0);

CREATE TABLE body (
	id      TEXT PRIMARY KEY,
	size    BIGINT NOT NULL,
	crc     BIGINT NOT NULL,
	content {blob}            -- NULL: the content is the file bodies/id
);

CREATE TABLE queue (
	id            TEXT PRIMARY KEY,
	next_hop      TEXT NOT NULL,
	sender        TEXT NOT NULL,
	sender_local  TEXT NOT NULL,
	sender_domain TEXT NOT NULL,
	smtputf8      SMALLINT NOT NULL,
	eightbit      SMALLINT NOT NULL,
	quiet         SMALLINT NOT NULL,  -- 1: nobody is told of a failure
	warned        SMALLINT NOT NULL,  -- 1: the sender knows of the delay
	state         TEXT NOT NULL,
	size          BIGINT NOT NULL,
	created       BIGINT NOT NULL,
	attempts      BIGINT NOT NULL,
	next_try      BIGINT NOT NULL,
	head_crc      BIGINT NOT NULL,
	head          {blob},
	body          TEXT NOT NULL REFERENCES body (id)
);
CREATE INDEX queue_body ON queue (body);

CREATE TABLE queue_rcpt (
	id          TEXT NOT NULL REFERENCES queue (id) ON DELETE CASCADE,
	n           BIGINT NOT NULL,
	rcpt        TEXT NOT NULL,
	rcpt_local  TEXT NOT NULL,
	rcpt_domain TEXT NOT NULL,
	code        BIGINT NOT NULL,  -- of the last reply; 0 none
	detail      TEXT NOT NULL,
	reply       TEXT NOT NULL,
	PRIMARY KEY (id, n)
);

CREATE TABLE quarantine (
	id            TEXT PRIMARY KEY,
	message       TEXT NOT NULL,
	sender        TEXT NOT NULL,
	sender_local  TEXT NOT NULL,
	sender_domain TEXT NOT NULL,
	smtputf8      SMALLINT NOT NULL,
	eightbit      SMALLINT NOT NULL,
	next_hop      TEXT NOT NULL,
	held          BIGINT NOT NULL,
	expires       BIGINT NOT NULL,
	size          BIGINT NOT NULL,
	facts         TEXT NOT NULL,  -- JSON: subject, reason, findings and the like
	search        TEXT NOT NULL,  -- what a search looks through, folded
	head          TEXT NOT NULL REFERENCES body (id),
	skip          BIGINT NOT NULL,  -- octets of raw that are not delivered
	raw           TEXT NOT NULL REFERENCES body (id)
);
CREATE INDEX quarantine_head ON quarantine (head);
CREATE INDEX quarantine_raw ON quarantine (raw);
CREATE INDEX quarantine_held ON quarantine (held);
CREATE INDEX quarantine_expires ON quarantine (expires);

CREATE TABLE quarantine_rcpt (
	id          TEXT NOT NULL REFERENCES quarantine (id) ON DELETE CASCADE,
	n           BIGINT NOT NULL,
	rcpt        TEXT NOT NULL,
	rcpt_local  TEXT NOT NULL,
	rcpt_domain TEXT NOT NULL,
	PRIMARY KEY (id, n)
);
