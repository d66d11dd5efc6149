-- +goose Up
-- The keys by which our provider of External MFA signs; what signs is in the vault.
-- Marked: whoever adds one could answer in our place.
CREATE TABLE mfa_keys (
    id          text PRIMARY KEY, -- the kid
    state       text NOT NULL CHECK (state IN ('signing', 'next', 'spare', 'old', 'withdrawn')),
    certificate text NOT NULL,    -- DER in base64
    made        bigint NOT NULL, -- microseconds, as are all times here
    signs       bigint NOT NULL,
    ended       bigint NOT NULL,
    withdrawn   bigint NOT NULL,
    version     bigint NOT NULL,
    mark        bytea NOT NULL
);
CREATE UNIQUE INDEX mfa_keys_one ON mfa_keys (state) WHERE state IN ('signing', 'next', 'spare');
-- The tenants whose people are asked here. Marked.
CREATE TABLE mfa_tenants (
    id            text PRIMARY KEY,
    name          text NOT NULL,
    cloud         text NOT NULL,
    app           text NOT NULL, -- app id in Entra ID
    client        text NOT NULL, -- client id of the method's configuration
    configuration text NOT NULL, -- its id, or empty
    added         bigint NOT NULL,
    added_by      text NOT NULL,
    ended         bigint NOT NULL,
    version       bigint NOT NULL,
    mark          bytea NOT NULL
);
-- Hints that were taken, as digests, until nobody would take them any more.
CREATE TABLE mfa_hints (
    id    text PRIMARY KEY,
    until bigint NOT NULL
);
CREATE INDEX mfa_hints_until ON mfa_hints (until);
-- How often what happened, a row a day.
CREATE TABLE mfa_counts (
    day    text NOT NULL,
    what   text NOT NULL,
    tenant text NOT NULL,
    n      bigint NOT NULL,
    last   bigint NOT NULL,
    PRIMARY KEY (day, what, tenant)
);
