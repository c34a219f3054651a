-- The data key that contents are sealed with, by its name: a gateway that does not have it
-- must not work on these tables.
CREATE TABLE data_key (
	one SMALLINT PRIMARY KEY,  -- always 1
	id  TEXT NOT NULL
);
