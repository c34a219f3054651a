-- A person is more than a token: whoever agrees to a release must be another person than
-- whoever releases, not another name of the same.
ALTER TABLE token ADD COLUMN person TEXT NOT NULL DEFAULT '';  -- '': as the name
ALTER TABLE token ADD COLUMN live TEXT NOT NULL DEFAULT '';    -- the name, folded, while no other may have it; '' of one that was made before, was revoked or has expired
CREATE UNIQUE INDEX token_live ON token (live) WHERE live <> '';

ALTER TABLE quarantine_approval ADD COLUMN person TEXT NOT NULL DEFAULT '';  -- '': as who
ALTER TABLE quarantine_approval ADD COLUMN token TEXT NOT NULL DEFAULT '';   -- its id; '': by a user of the machine
