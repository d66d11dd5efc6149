-- +goose Up
-- The keys by which our provider of External MFA signs; what signs is in the vault.
-- Marked: whoever adds one could answer in our place.
CREATE TABLE mfa_keys (
    id          TEXT PRIMARY KEY, -- the kid
    state       TEXT NOT NULL CHECK (state IN ('signing', 'next', 'spare', 'old', 'withdrawn')),
    certificate TEXT NOT NULL,    -- DER in base64
    made        INTEGER NOT NULL, -- microseconds, as are all times here
    signs       INTEGER NOT NULL,
    ended       INTEGER NOT NULL,
    withdrawn   INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    mark        BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mfa_keys_one ON mfa_keys (state) WHERE state IN ('signing', 'next', 'spare');
-- The tenants whose people are asked here. Marked.
CREATE TABLE mfa_tenants (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    cloud         TEXT NOT NULL,
    app           TEXT NOT NULL, -- app id in Entra ID
    client        TEXT NOT NULL, -- client id of the method's configuration
    configuration TEXT NOT NULL, -- its id, or empty
    added         INTEGER NOT NULL,
    added_by      TEXT NOT NULL,
    ended         INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    mark          BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Hints that were taken, as digests, until nobody would take them any more.
CREATE TABLE mfa_hints (
    id    TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mfa_hints_until ON mfa_hints (until);
-- How often what happened, a row a day.
CREATE TABLE mfa_counts (
    day    TEXT NOT NULL,
    what   TEXT NOT NULL,
    tenant TEXT NOT NULL,
    n      INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (day, what, tenant)
) STRICT, WITHOUT ROWID;
