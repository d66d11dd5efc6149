-- +goose Up
-- Plans as they were taken over: what is done is held to them. Marked.
CREATE TABLE remedy_plans (
    id         TEXT PRIMARY KEY, -- SHA-256 of what a signature covers
    body       TEXT NOT NULL,    -- the file
    made       INTEGER NOT NULL, -- when it was taken over; microseconds, as are all times here
    actor      TEXT NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Plans that somebody wants done. Marked, but for when one is looked at again and who does
-- that now: these steer nothing but time.
CREATE TABLE remedy_runs (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,    -- in lower case
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'watching', 'holding', 'stopped', 'undoing', 'undone', 'ended')),
    body       TEXT NOT NULL,    -- JSON: its plan, how far it came, and what was found out
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    applied    INTEGER NOT NULL,
    next       INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder     TEXT NOT NULL,    -- the process that does it now
    held_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX remedy_runs_next ON remedy_runs (next);
CREATE INDEX remedy_runs_tenant ON remedy_runs (tenant);
-- The steps of a run, those of a stage from when it was begun. Marked.
CREATE TABLE remedy_steps (
    run        TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- counts from 1, in order
    state      TEXT NOT NULL
        CHECK (state IN ('ready', 'going', 'asked', 'done', 'found', 'failed', 'left', 'undoing', 'undone', 'stays', 'not-taken')),
    step       TEXT NOT NULL,    -- JSON: what it does in its stage
    body       TEXT NOT NULL,    -- JSON: how far it came, and the object as it was
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
-- What was asked of Microsoft: written before it is asked, and again when the answer is there.
CREATE TABLE remedy_acts (
    run        TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- of the step
    n          INTEGER NOT NULL, -- counts from 1
    what       TEXT NOT NULL,
    asked      INTEGER NOT NULL,
    answered   INTEGER NOT NULL, -- 0: no answer is known
    result     TEXT NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (run, seq, n)
) STRICT, WITHOUT ROWID;
-- A second person's yes to exactly one plan. Marked.
CREATE TABLE remedy_approvals (
    run        TEXT PRIMARY KEY,
    plan       TEXT NOT NULL,    -- its SHA-256
    actor      TEXT NOT NULL,
    approved   INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
