-- +goose Up
-- Segments of collected pages: the objects lie outside of the database, each is an
-- entry of the trail. A row is never deleted: what policy removed stays as a tombstone.
CREATE TABLE archive_segments (
    name    TEXT PRIMARY KEY,
    tenant  TEXT NOT NULL,
    object  TEXT NOT NULL,    -- its key in the archive's place
    seq     INTEGER NOT NULL, -- the entry of the trail
    made    INTEGER NOT NULL, -- microseconds, as all moments here
    size    INTEGER NOT NULL, -- bytes of the object
    sha256  TEXT NOT NULL,    -- of the object
    root    TEXT NOT NULL,    -- of the Merkle tree of its entries
    entries INTEGER NOT NULL,
    pages   INTEGER NOT NULL,
    bytes   INTEGER NOT NULL, -- of the pages, not compressed
    first   INTEGER NOT NULL, -- when its pages were answered
    last    INTEGER NOT NULL,
    parts   TEXT NOT NULL,    -- JSON: what it has of which run
    removed INTEGER NOT NULL, -- when policy took the object away; 0 for not
    policy  TEXT NOT NULL
) STRICT;
CREATE INDEX archive_segments_seq ON archive_segments (seq);
CREATE INDEX archive_segments_tenant ON archive_segments (tenant, seq);

-- Segments whose object is being written. A row is gone when the segment is there;
-- one that stays is of a write that was interrupted.
CREATE TABLE archive_pending (
    name   TEXT PRIMARY KEY,
    object TEXT NOT NULL,
    at     INTEGER NOT NULL,
    size   INTEGER NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
