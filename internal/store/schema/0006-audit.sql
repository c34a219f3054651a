-- The audit chain: entries are added and never changed. What was removed because its time
-- was over is stood for by audit_base.
CREATE TABLE audit (
	n     BIGINT PRIMARY KEY,  -- 1, 2, 3 … without a gap
	at    BIGINT NOT NULL,
	entry TEXT NOT NULL,       -- JSON, octet for octet what the hash is of
	hash  TEXT NOT NULL,       -- of the hash before and the entry
	seal  TEXT NOT NULL        -- of the hash, with the data key
);
CREATE INDEX audit_at ON audit (at);

-- One row each. Who writes an entry locks the head first: gateways take turns.
CREATE TABLE audit_head (one SMALLINT PRIMARY KEY, n BIGINT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE audit_base (one SMALLINT PRIMARY KEY, n BIGINT NOT NULL, hash TEXT NOT NULL, seal TEXT NOT NULL);
INSERT INTO audit_head (one, n, hash) VALUES (1, 0, '');
INSERT INTO audit_base (one, n, hash, seal) VALUES (1, 0, '', '');
