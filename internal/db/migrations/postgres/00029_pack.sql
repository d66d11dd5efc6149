-- +goose Up
-- Packs that were made. A row grants nothing and nothing is decided by it: the file is
-- checked by what is in it, and the entry pack.made of the trail says the same.
CREATE TABLE packs (
    name       text PRIMARY KEY,
    tenant     text NOT NULL,
    customer   text NOT NULL,    -- '': of none
    from_at    bigint NOT NULL, -- microseconds
    to_at      bigint NOT NULL,
    reader     text NOT NULL,    -- auditor, insurer, microsoft, customer
    evidence   text NOT NULL,    -- all, deciding, none
    redaction  text NOT NULL,    -- names,addresses
    size       bigint NOT NULL, -- bytes of the file
    sha256     text NOT NULL,    -- of the file
    made       bigint NOT NULL, -- microseconds
    actor      text NOT NULL
);
-- Which entry of the trail has the salted root of a segment. A row is a hint where to
-- look: the root counts by the entry alone.
CREATE TABLE pack_leaved (
    segment    text PRIMARY KEY,
    seq        bigint NOT NULL, -- 0: not yet known
    at         bigint NOT NULL  -- microseconds
);
