-- +goose Up
-- The audit trail in pages: what was recorded together was committed together.
-- A line of entries is an entry's hash in hex, a space, its canonical bytes.
CREATE TABLE trail_pages (
    first    INTEGER PRIMARY KEY, -- number of its first entry; entries count from 1
    last     INTEGER NOT NULL,
    earliest INTEGER NOT NULL,    -- times of its entries, microseconds
    latest   INTEGER NOT NULL,
    entries  TEXT NOT NULL
) STRICT;

-- One row: where the chain begins and where it stands. Who appends holds its lock.
CREATE TABLE trail_head (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    anchor TEXT NOT NULL, -- 32 random bytes in hex: what the first entry follows
    seq    INTEGER NOT NULL, -- number of the newest entry, 0 before the first
    hash   TEXT NOT NULL  -- of the newest entry, or the anchor
) STRICT;
