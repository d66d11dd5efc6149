-- +goose Up
-- The audit trail in pages: what was recorded together was committed together.
-- A line of entries is an entry's hash in hex, a space, its canonical bytes.
CREATE TABLE trail_pages (
    first    bigint PRIMARY KEY, -- number of its first entry; entries count from 1
    last     bigint NOT NULL,
    earliest bigint NOT NULL,    -- times of its entries, microseconds
    latest   bigint NOT NULL,
    entries  text NOT NULL
);

-- One row: where the chain begins and where it stands. Who appends holds its lock.
CREATE TABLE trail_head (
    one    bigint PRIMARY KEY CHECK (one = 1),
    anchor text NOT NULL, -- 32 random bytes in hex: what the first entry follows
    seq    bigint NOT NULL, -- number of the newest entry, 0 before the first
    hash   text NOT NULL  -- of the newest entry, or the anchor
);
