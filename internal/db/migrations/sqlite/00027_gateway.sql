-- +goose Up
-- What the gateway decided, counted by hour. Not marked: a count grants nothing and steers
-- nothing, and what was refused is in the trail besides.
CREATE TABLE gateway_decisions (
    hour       INTEGER NOT NULL, -- hours since 1970
    route      TEXT NOT NULL,    -- '': none
    reason     TEXT NOT NULL,
    mode       TEXT NOT NULL,
    refused    INTEGER NOT NULL, -- 1: it was answered with no
    kind       TEXT NOT NULL,    -- user, app, unknown, others
    tenant     TEXT NOT NULL,
    caller     TEXT NOT NULL,    -- an object id, an app id, a network
    client     TEXT NOT NULL,    -- an app id
    agent      TEXT NOT NULL,    -- a class of programs
    way        TEXT NOT NULL,    -- bearer, session, none
    excused    TEXT NOT NULL,    -- the exception's name
    account    TEXT NOT NULL,    -- for people
    n          INTEGER NOT NULL,
    first_at   INTEGER NOT NULL, -- microseconds
    last_at    INTEGER NOT NULL,
    told       INTEGER NOT NULL, -- so many of n are in the trail
    PRIMARY KEY (hour, route, reason, mode, refused, kind, tenant, caller, client, agent, way, excused)
) STRICT, WITHOUT ROWID;
-- Who may not come in any more. Marked: a MAC of the vault over all of it; and the trail has
-- each, so that none goes unseen.
CREATE TABLE gateway_revocations (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,    -- user, session, app, token
    value      TEXT NOT NULL,
    tenant     TEXT NOT NULL,    -- '': of any
    before_at  INTEGER NOT NULL, -- microseconds: sign-ins up to then; 0: all
    until_at   INTEGER NOT NULL, -- microseconds; 0: without an end
    who        TEXT NOT NULL,
    why        TEXT NOT NULL,
    made       INTEGER NOT NULL,
    ended      INTEGER NOT NULL, -- 0: it was not taken back
    ended_by   TEXT NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
