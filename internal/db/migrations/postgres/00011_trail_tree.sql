-- +goose Up
-- The audit trail becomes a Merkle tree (RFC 6962) over the entries' canonical
-- bytes. The head of the hash chain that it was before stays, so that the chain
-- of the entries up to seq can be checked as long as they are kept. The new head
-- has other columns: a process of before that still runs fails instead of
-- appending to the chain.
CREATE TABLE trail_chain (
    one    bigint PRIMARY KEY CHECK (one = 1),
    anchor text NOT NULL, -- what the first entry follows
    seq    bigint NOT NULL, -- entries up to here begin with the chain's hash, later ones with their leaf's
    hash   text NOT NULL
);
INSERT INTO trail_chain (one, anchor, seq, hash) SELECT one, anchor, seq, hash FROM trail_head;
DROP TABLE trail_head;

-- One row. Who appends holds its lock.
CREATE TABLE trail_head (
    one   bigint PRIMARY KEY CHECK (one = 1),
    id    text NOT NULL,   -- 32 random bytes in hex: which trail it is
    size  bigint NOT NULL,   -- number of the newest entry, 0 before the first
    nodes bytea NOT NULL    -- roots of the perfect subtrees of the tree, widest first, 32 bytes each
);

-- The tree's hashes in full tiles of 256, as in C2SP tlog-tiles. What stands
-- after the last full tile is in the pages.
CREATE TABLE trail_tiles (
    level  bigint NOT NULL,
    n      bigint NOT NULL,
    root   bytea NOT NULL, -- of the tile: one hash of the level above
    hashes bytea NOT NULL, -- 256 times 32 bytes
    PRIMARY KEY (level, n)
);

-- How each anchor, a place outside of this database, stands.
CREATE TABLE trail_anchors (
    anchor  text PRIMARY KEY,
    size    bigint NOT NULL, -- of the newest checkpoint it took, 0 for none
    at      bigint NOT NULL, -- when, microseconds
    tried   bigint NOT NULL, -- when it was last tried
    failing bigint NOT NULL, -- since when it cannot be reached or refuses, 0 for not
    reason  text NOT NULL
);

-- What anchors gave back for a checkpoint: a cosignature, a time stamp.
CREATE TABLE trail_proofs (
    anchor text NOT NULL,
    size   bigint NOT NULL,
    at     bigint NOT NULL,
    note   text NOT NULL,
    proof  bytea NOT NULL,
    PRIMARY KEY (anchor, size)
);
