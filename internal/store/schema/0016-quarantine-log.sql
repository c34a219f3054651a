-- Which held messages changed, for gateways that keep an index of them in memory: each
-- numbers its own changes, in the order of its commits. Only a shared store is written to.
CREATE TABLE quarantine_turn (gateway TEXT PRIMARY KEY, n BIGINT NOT NULL);
CREATE TABLE quarantine_log (
	gateway TEXT NOT NULL,
	n       BIGINT NOT NULL,
	at      BIGINT NOT NULL,
	id      TEXT NOT NULL,
	PRIMARY KEY (gateway, n)
);
CREATE INDEX quarantine_log_at ON quarantine_log (at);
