-- +goose Up
-- The audit trail becomes a Merkle tree (RFC 6962) over the entries' canonical
-- bytes. The head of the hash chain that it was before stays, so that the chain
-- of the entries up to seq can be checked as long as they are kept. The new head
-- has other columns: a process of before that still runs fails instead of
-- appending to the chain.
CREATE TABLE trail_chain (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    anchor TEXT NOT NULL, -- what the first entry follows
    seq    INTEGER NOT NULL, -- entries up to here begin with the chain's hash, later ones with their leaf's
    hash   TEXT NOT NULL
) STRICT;
INSERT INTO trail_chain (one, anchor, seq, hash) SELECT one, anchor, seq, hash FROM trail_head;
DROP TABLE trail_head;

-- One row. Who appends holds its lock.
CREATE TABLE trail_head (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    id    TEXT NOT NULL,   -- 32 random bytes in hex: which trail it is
    size  INTEGER NOT NULL,   -- number of the newest entry, 0 before the first
    nodes BLOB NOT NULL    -- roots of the perfect subtrees of the tree, widest first, 32 bytes each
) STRICT;

-- The tree's hashes in full tiles of 256, as in C2SP tlog-tiles. What stands
-- after the last full tile is in the pages.
CREATE TABLE trail_tiles (
    level  INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    root   BLOB NOT NULL, -- of the tile: one hash of the level above
    hashes BLOB NOT NULL, -- 256 times 32 bytes
    PRIMARY KEY (level, n)
) STRICT;

-- How each anchor, a place outside of this database, stands.
CREATE TABLE trail_anchors (
    anchor  TEXT PRIMARY KEY,
    size    INTEGER NOT NULL, -- of the newest checkpoint it took, 0 for none
    at      INTEGER NOT NULL, -- when, microseconds
    tried   INTEGER NOT NULL, -- when it was last tried
    failing INTEGER NOT NULL, -- since when it cannot be reached or refuses, 0 for not
    reason  TEXT NOT NULL
) STRICT;

-- What anchors gave back for a checkpoint: a cosignature, a time stamp.
CREATE TABLE trail_proofs (
    anchor TEXT NOT NULL,
    size   INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    note   TEXT NOT NULL,
    proof  BLOB NOT NULL,
    PRIMARY KEY (anchor, size)
) STRICT;
