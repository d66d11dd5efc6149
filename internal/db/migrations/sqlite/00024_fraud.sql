-- +goose Up
-- Microsoft's alerts about fraud, as they were read last. Marked: a MAC of the vault over what
-- an answer is about; read anew whenever it does not fit.
CREATE TABLE fraud_alerts (
    id         TEXT PRIMARY KEY, -- ours
    graph_id   TEXT NOT NULL,    -- '' it is not known there
    event_id   TEXT NOT NULL,
    body       TEXT NOT NULL,    -- JSON: all that is known of it
    settled    INTEGER NOT NULL, -- since when it stands as it does; microseconds, as are all times here
    seen       INTEGER NOT NULL, -- first read here
    aged       INTEGER NOT NULL, -- 1: it was old when this installation first read
    gone       INTEGER NOT NULL, -- since when Microsoft lists it no more; 0: it does
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- What people did about an alert. Marked.
CREATE TABLE fraud_cases (
    alert      TEXT PRIMARY KEY,
    body       TEXT NOT NULL,    -- JSON: who has it, since when, notes
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- The one answer to an alert: written before Microsoft is asked, and again when that is known.
-- Marked, but for when it is looked at again and who does that now.
CREATE TABLE fraud_answers (
    alert      TEXT PRIMARY KEY,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'asked', 'sent', 'other', 'failed')),
    body       TEXT NOT NULL,    -- JSON: the reason, and the alert that it was given for
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    next       INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder     TEXT NOT NULL,    -- the process that does it now
    held_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX fraud_answers_next ON fraud_answers (next);
-- How reading went, of each interface.
CREATE TABLE fraud_pulls (
    source     TEXT PRIMARY KEY, -- graph, partnerCenter, or desk: whichever answered
    first      INTEGER NOT NULL, -- the first that came about
    good       INTEGER NOT NULL, -- the last that came about; 0 none
    tried      INTEGER NOT NULL,
    count      INTEGER NOT NULL, -- alerts that it told
    why        TEXT NOT NULL,    -- the last one did not come about; '' it did
    fix        TEXT NOT NULL,
    mark       BLOB NOT NULL  -- of the source and the first
) STRICT, WITHOUT ROWID;
-- Rings of the webhook: what was taken, so that none counts twice, and how many were refused.
CREATE TABLE fraud_rings (
    hash       TEXT PRIMARY KEY, -- SHA-256 of the signature
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE fraud_ring_counts (
    what       TEXT PRIMARY KEY, -- rung, ignored, test, or why it was refused
    n          INTEGER NOT NULL,
    last       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
