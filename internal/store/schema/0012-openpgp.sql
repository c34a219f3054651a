-- OpenPGP keys: which there are, whose they are, and which are only offered.

-- Its one row is counted up first by whoever changes these tables: gateways take turns, and
-- see that another has changed something.
CREATE TABLE pgp_state (version BIGINT NOT NULL);
INSERT INTO pgp_state (version) VALUES (1);

CREATE TABLE pgp_key (
	fingerprint TEXT PRIMARY KEY,  -- upper-case hexadecimal
	source      TEXT NOT NULL,     -- file, wkd, directory
	added       BIGINT NOT NULL,
	public      {blob} NOT NULL
);

CREATE TABLE pgp_pin (
	subject     TEXT PRIMARY KEY,  -- an address, or @domain
	fingerprint TEXT NOT NULL REFERENCES pgp_key (fingerprint),
	forced      SMALLINT NOT NULL, -- 1: although the key does not name it
	pinned      BIGINT NOT NULL,
	actor       TEXT NOT NULL
);

CREATE TABLE pgp_proposal (
	subject     TEXT NOT NULL,
	fingerprint TEXT NOT NULL REFERENCES pgp_key (fingerprint),
	source      TEXT NOT NULL,
	seen        BIGINT NOT NULL,
	PRIMARY KEY (subject, fingerprint)
);

-- Keys that sign for a domain, encrypted by a passphrase that is not here.
CREATE TABLE pgp_secret (
	domain      TEXT PRIMARY KEY,
	fingerprint TEXT NOT NULL,
	secret      {blob} NOT NULL,
	added       BIGINT NOT NULL,
	actor       TEXT NOT NULL
);
