-- Version 2: which gateway works on a queue row, where several share the database.
-- Lines that begin with {shared} are left out where there can be only one: there no row
-- has an owner, and nothing of this costs anything.

CREATE TABLE gateway (
	id          TEXT PRIMARY KEY,  -- of one run of a gateway; never used again
	name        TEXT NOT NULL,     -- of its data directory, the same after a restart
	lease_until BIGINT NOT NULL    -- by the database's clock; 0: ended, or taken for dead
);

ALTER TABLE queue ADD COLUMN owner TEXT REFERENCES gateway (id);  -- NULL: nobody yet
ALTER TABLE queue ADD COLUMN hurry SMALLINT NOT NULL DEFAULT 0;   -- its owner shall: 1 try it now, 2 look at it again
{shared}CREATE INDEX queue_owner ON queue (owner, state);
{shared}CREATE INDEX queue_hurry ON queue (owner) WHERE hurry <> 0;
