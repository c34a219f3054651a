-- Letters that people have taught the classifier.

-- Its one row is written first by whoever writes to the table: the gateways take turns,
-- and n numbers what was done.
CREATE TABLE lesson_turn (n BIGINT NOT NULL);
INSERT INTO lesson_turn (n) VALUES (0);

CREATE TABLE lesson (
	id        TEXT PRIMARY KEY,
	n         BIGINT NOT NULL,   -- when it was taught, in the order of turns
	at        BIGINT NOT NULL,
	actor     TEXT NOT NULL,
	spam      SMALLINT NOT NULL,
	content   TEXT NOT NULL,     -- hash of what the reader sees and of the attachments
	about     TEXT NOT NULL,     -- JSON, sealed: sender, subject, where it came from
	counts    SMALLINT NOT NULL, -- 0: recorded, and not learned
	why       TEXT NOT NULL,     -- why not: reporter, day, trusted
	undone    BIGINT NOT NULL,   -- 0, or the turn in which it was taken back
	undone_at BIGINT NOT NULL,
	undone_by TEXT NOT NULL,
	example   {blob}             -- sealed features
);
CREATE INDEX lesson_n ON lesson (n);
CREATE INDEX lesson_undone ON lesson (undone);
CREATE INDEX lesson_content ON lesson (content);
CREATE INDEX lesson_at ON lesson (at);
