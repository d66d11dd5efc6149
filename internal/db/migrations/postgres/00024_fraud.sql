-- +goose Up
-- Microsoft's alerts about fraud, as they were read last. Marked: a MAC of the vault over what
-- an answer is about; read anew whenever it does not fit.
CREATE TABLE fraud_alerts (
    id         text PRIMARY KEY, -- ours
    graph_id   text NOT NULL,    -- '' it is not known there
    event_id   text NOT NULL,
    body       text NOT NULL,    -- JSON: all that is known of it
    settled    bigint NOT NULL, -- since when it stands as it does; microseconds, as are all times here
    seen       bigint NOT NULL, -- first read here
    aged       bigint NOT NULL, -- 1: it was old when this installation first read
    gone       bigint NOT NULL, -- since when Microsoft lists it no more; 0: it does
    mark       bytea NOT NULL
);
-- What people did about an alert. Marked.
CREATE TABLE fraud_cases (
    alert      text PRIMARY KEY,
    body       text NOT NULL,    -- JSON: who has it, since when, notes
    version    bigint NOT NULL,
    mark       bytea NOT NULL
);
-- The one answer to an alert: written before Microsoft is asked, and again when that is known.
-- Marked, but for when it is looked at again and who does that now.
CREATE TABLE fraud_answers (
    alert      text PRIMARY KEY,
    state      text NOT NULL CHECK (state IN ('queued', 'asked', 'sent', 'other', 'failed')),
    body       text NOT NULL,    -- JSON: the reason, and the alert that it was given for
    version    bigint NOT NULL,
    mark       bytea NOT NULL,
    next       bigint NOT NULL, -- looked at again then; 0: not by itself
    holder     text NOT NULL,    -- the process that does it now
    held_until bigint NOT NULL
);
CREATE INDEX fraud_answers_next ON fraud_answers (next);
-- How reading went, of each interface.
CREATE TABLE fraud_pulls (
    source     text PRIMARY KEY, -- graph, partnerCenter, or desk: whichever answered
    first      bigint NOT NULL, -- the first that came about
    good       bigint NOT NULL, -- the last that came about; 0 none
    tried      bigint NOT NULL,
    count      bigint NOT NULL, -- alerts that it told
    why        text NOT NULL,    -- the last one did not come about; '' it did
    fix        text NOT NULL,
    mark       bytea NOT NULL  -- of the source and the first
);
-- Rings of the webhook: what was taken, so that none counts twice, and how many were refused.
CREATE TABLE fraud_rings (
    hash       text PRIMARY KEY, -- SHA-256 of the signature
    at         bigint NOT NULL
);
CREATE TABLE fraud_ring_counts (
    what       text PRIMARY KEY, -- rung, ignored, test, or why it was refused
    n          bigint NOT NULL,
    last       bigint NOT NULL
);
