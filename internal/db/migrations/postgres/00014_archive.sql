-- +goose Up
-- Segments of collected pages: the objects lie outside of the database, each is an
-- entry of the trail. A row is never deleted: what policy removed stays as a tombstone.
CREATE TABLE archive_segments (
    name    text PRIMARY KEY,
    tenant  text NOT NULL,
    object  text NOT NULL,    -- its key in the archive's place
    seq     bigint NOT NULL, -- the entry of the trail
    made    bigint NOT NULL, -- microseconds, as all moments here
    size    bigint NOT NULL, -- bytes of the object
    sha256  text NOT NULL,    -- of the object
    root    text NOT NULL,    -- of the Merkle tree of its entries
    entries bigint NOT NULL,
    pages   bigint NOT NULL,
    bytes   bigint NOT NULL, -- of the pages, not compressed
    first   bigint NOT NULL, -- when its pages were answered
    last    bigint NOT NULL,
    parts   text NOT NULL,    -- JSON: what it has of which run
    removed bigint NOT NULL, -- when policy took the object away; 0 for not
    policy  text NOT NULL
);
CREATE INDEX archive_segments_seq ON archive_segments (seq);
CREATE INDEX archive_segments_tenant ON archive_segments (tenant, seq);

-- Segments whose object is being written. A row is gone when the segment is there;
-- one that stays is of a write that was interrupted.
CREATE TABLE archive_pending (
    name   text PRIMARY KEY,
    object text NOT NULL,
    at     bigint NOT NULL,
    size   bigint NOT NULL,
    sha256 text NOT NULL
);
