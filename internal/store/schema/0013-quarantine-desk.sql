-- What a person may do with held mail: its class decides how long it is kept and who must
-- agree to its release; a deletion can be taken back for a while; a release of what was
-- found to be harmful needs two.
ALTER TABLE quarantine ADD COLUMN class TEXT NOT NULL DEFAULT '';        -- '': held before there were classes
ALTER TABLE quarantine_rcpt ADD COLUMN gone BIGINT NOT NULL DEFAULT 0;   -- when it was deleted for this recipient; 0: it was not
CREATE INDEX quarantine_gone ON quarantine_rcpt (gone) WHERE gone > 0;

CREATE TABLE quarantine_approval (
	id  TEXT NOT NULL,
	n   BIGINT NOT NULL,
	who TEXT NOT NULL,
	at  BIGINT NOT NULL,
	PRIMARY KEY (id, n, who),
	FOREIGN KEY (id, n) REFERENCES quarantine_rcpt (id, n) ON DELETE CASCADE
);
