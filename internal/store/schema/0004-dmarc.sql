-- DMARC aggregate reports. A day is counted from 1970-01-01 in UTC.

-- Its one row is written first by whoever writes to these tables: the gateways take turns,
-- so that they cannot wait for each other's rows in a circle.
CREATE TABLE dmarc_turn (n BIGINT NOT NULL);
INSERT INTO dmarc_turn (n) VALUES (0);

-- The open part of a day and a policy domain: it takes what is counted.
CREATE TABLE dmarc_day (
	day      BIGINT NOT NULL,
	domain   TEXT NOT NULL,
	part     BIGINT NOT NULL,
	kinds    BIGINT NOT NULL,            -- distinct rows of the open part
	unlisted BIGINT NOT NULL,            -- messages for which there was no room
	closing  SMALLINT NOT NULL DEFAULT 0, -- 1 only inside of the transaction that freezes it
	policy   TEXT NOT NULL,              -- JSON: what the owner had published
	rua      TEXT NOT NULL,
	PRIMARY KEY (day, domain)
);

CREATE TABLE dmarc_row (
	day      BIGINT NOT NULL,
	domain   TEXT NOT NULL,
	part     BIGINT NOT NULL,
	id       TEXT NOT NULL,  -- of facts
	messages BIGINT NOT NULL,
	facts    TEXT NOT NULL,  -- JSON
	PRIMARY KEY (day, domain, part, id)
);

-- Parts that take no more, and whether they were sent.
CREATE TABLE dmarc_part (
	day      BIGINT NOT NULL,
	domain   TEXT NOT NULL,
	part     BIGINT NOT NULL,
	frozen   BIGINT NOT NULL,
	sent     BIGINT NOT NULL,  -- 0: not yet
	unlisted BIGINT NOT NULL,
	policy   TEXT NOT NULL,
	rua      TEXT NOT NULL,
	outcome  TEXT NOT NULL,    -- to whom, or why to nobody
	PRIMARY KEY (day, domain, part)
);

-- Letters with reports of others about our domains, until a process has read them.
CREATE TABLE dmarc_letter (
	id       TEXT PRIMARY KEY,
	received BIGINT NOT NULL,
	size     BIGINT NOT NULL,
	tries    BIGINT NOT NULL,
	content  {blob}
);

-- Reports of others about our domains.
CREATE TABLE dmarc_report (
	id       TEXT PRIMARY KEY,  -- of organisation, domain and report id
	org      TEXT NOT NULL,
	name     TEXT NOT NULL,     -- the report id
	domain   TEXT NOT NULL,
	begins   BIGINT NOT NULL,
	ends     BIGINT NOT NULL,
	received BIGINT NOT NULL,
	policy   TEXT NOT NULL      -- JSON
);
CREATE INDEX dmarc_report_ends ON dmarc_report (ends);

CREATE TABLE dmarc_source (
	report      TEXT NOT NULL REFERENCES dmarc_report (id) ON DELETE CASCADE,
	n           BIGINT NOT NULL,
	source      TEXT NOT NULL,
	header_from TEXT NOT NULL,
	disposition TEXT NOT NULL,
	dkim        TEXT NOT NULL,
	spf         TEXT NOT NULL,
	messages    BIGINT NOT NULL,
	PRIMARY KEY (report, n)
);
