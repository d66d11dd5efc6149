-- +goose Up
-- Packs that were made. A row grants nothing and nothing is decided by it: the file is
-- checked by what is in it, and the entry pack.made of the trail says the same.
CREATE TABLE packs (
    name       TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    customer   TEXT NOT NULL,    -- '': of none
    from_at    INTEGER NOT NULL, -- microseconds
    to_at      INTEGER NOT NULL,
    reader     TEXT NOT NULL,    -- auditor, insurer, microsoft, customer
    evidence   TEXT NOT NULL,    -- all, deciding, none
    redaction  TEXT NOT NULL,    -- names,addresses
    size       INTEGER NOT NULL, -- bytes of the file
    sha256     TEXT NOT NULL,    -- of the file
    made       INTEGER NOT NULL, -- microseconds
    actor      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Which entry of the trail has the salted root of a segment. A row is a hint where to
-- look: the root counts by the entry alone.
CREATE TABLE pack_leaved (
    segment    TEXT PRIMARY KEY,
    seq        INTEGER NOT NULL, -- 0: not yet known
    at         INTEGER NOT NULL  -- microseconds
) STRICT, WITHOUT ROWID;
