-- Secret keys that open what is encrypted to a domain, encrypted by a passphrase that is not
-- here. A domain may have several: letters to the key before go on to come.
CREATE TABLE pgp_opener (
	domain      TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	secret      {blob} NOT NULL,
	added       BIGINT NOT NULL,
	actor       TEXT NOT NULL,
	PRIMARY KEY (domain, fingerprint)
);
