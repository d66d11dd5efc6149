-- +goose Up
-- What the gateway decided, counted by hour. Not marked: a count grants nothing and steers
-- nothing, and what was refused is in the trail besides.
CREATE TABLE gateway_decisions (
    hour       bigint  NOT NULL, -- hours since 1970
    route      text NOT NULL,    -- '': none
    reason     text NOT NULL,
    mode       text NOT NULL,
    refused    bigint  NOT NULL, -- 1: it was answered with no
    kind       text NOT NULL,    -- user, app, unknown, others
    tenant     text NOT NULL,
    caller     text NOT NULL,    -- an object id, an app id, a network
    client     text NOT NULL,    -- an app id
    agent      text NOT NULL,    -- a class of programs
    way        text NOT NULL,    -- bearer, session, none
    excused    text NOT NULL,    -- the exception's name
    account    text NOT NULL,    -- for people
    n          bigint  NOT NULL,
    first_at   bigint  NOT NULL, -- microseconds
    last_at    bigint  NOT NULL,
    told       bigint  NOT NULL, -- so many of n are in the trail
    PRIMARY KEY (hour, route, reason, mode, refused, kind, tenant, caller, client, agent, way, excused)
);
-- Who may not come in any more. Marked: a MAC of the vault over all of it; and the trail has
-- each, so that none goes unseen.
CREATE TABLE gateway_revocations (
    id         text PRIMARY KEY,
    kind       text NOT NULL,    -- user, session, app, token
    value      text NOT NULL,
    tenant     text NOT NULL,    -- '': of any
    before_at  bigint  NOT NULL, -- microseconds: sign-ins up to then; 0: all
    until_at   bigint  NOT NULL, -- microseconds; 0: without an end
    who        text NOT NULL,
    why        text NOT NULL,
    made       bigint  NOT NULL,
    ended      bigint  NOT NULL, -- 0: it was not taken back
    ended_by   text NOT NULL,
    mark       bytea NOT NULL
);
