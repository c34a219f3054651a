-- What was found in past letters and decided about them. A row holds the letters of one
-- second that one rule set has judged, later of longer times. Times are Unix milliseconds.
CREATE TABLE record (
	id       TEXT PRIMARY KEY,
	first    BIGINT NOT NULL,  -- when its first letter came
	last     BIGINT NOT NULL,  -- and its last
	rules    TEXT NOT NULL,    -- hash of the set
	letters  BIGINT NOT NULL,
	held     BIGINT NOT NULL,  -- of these: held or refused for a recipient
	deferred BIGINT NOT NULL,  -- of these: put off
	content  {blob} NOT NULL   -- internal/record/codec.go, zstd, sealed
);
CREATE INDEX record_last ON record (last);
CREATE INDEX record_rules ON record (rules, last);
