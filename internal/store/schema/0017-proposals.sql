-- Letters that users say were judged wrongly, until a reviewer has decided.
CREATE TABLE proposal (
	id         TEXT PRIMARY KEY,
	at         BIGINT NOT NULL,
	spam       SMALLINT NOT NULL,
	content    TEXT NOT NULL,    -- hash, as of a lesson
	state      TEXT NOT NULL,    -- open, confirmed, refused
	about      TEXT NOT NULL,    -- JSON, sealed: sender and subject
	decided    BIGINT NOT NULL,
	decided_by TEXT NOT NULL,
	letter     {blob}            -- sealed; gone when it is decided
);
CREATE INDEX proposal_content ON proposal (content);
CREATE INDEX proposal_state ON proposal (state, at);

CREATE TABLE proposal_by (
	id       TEXT NOT NULL REFERENCES proposal (id) ON DELETE CASCADE,
	reporter TEXT NOT NULL,
	at       BIGINT NOT NULL,
	PRIMARY KEY (id, reporter)
);
CREATE INDEX proposal_by_reporter ON proposal_by (reporter, at);
