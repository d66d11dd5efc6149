-- +goose Up
-- What pages show of a tenant, as it was judged the last time, in parts.
CREATE TABLE snapshot_parts (
    tenant  TEXT NOT NULL,
    part    TEXT NOT NULL,
    as_of   INTEGER NOT NULL, -- microseconds
    made    INTEGER NOT NULL,
    segment TEXT NOT NULL,    -- newest of the archive; '' is none
    version TEXT NOT NULL,    -- of the content
    size    INTEGER NOT NULL, -- bytes, opened
    body    BLOB NOT NULL,    -- JSON, zstd
    PRIMARY KEY (part, tenant)
) STRICT;
