-- +goose Up
-- What pages show of a tenant, as it was judged the last time, in parts.
CREATE TABLE snapshot_parts (
    tenant  text NOT NULL,
    part    text NOT NULL,
    as_of   bigint NOT NULL, -- microseconds
    made    bigint NOT NULL,
    segment text NOT NULL,    -- newest of the archive; '' is none
    version text NOT NULL,    -- of the content
    size    bigint NOT NULL, -- bytes, opened
    body    bytea NOT NULL,    -- JSON, zstd
    PRIMARY KEY (part, tenant)
);
