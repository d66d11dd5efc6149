-- +goose Up
-- Plans of containment as they were made: what is applied is held to them. Marked.
CREATE TABLE contain_plans (
    id         TEXT PRIMARY KEY,
    body       TEXT NOT NULL,    -- JSON: the whole plan
    made       INTEGER NOT NULL, -- microseconds, as are all times here
    actor      TEXT NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Plans that somebody wants done. Marked, but for when one is looked at again and who does
-- that now: these steer nothing but time.
CREATE TABLE contain_runs (
    id           TEXT PRIMARY KEY,
    subscription TEXT NOT NULL,    -- of Azure, in lower case
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'stopped', 'restoring', 'over')),
    body         TEXT NOT NULL,    -- JSON: the plan without its steps, and what became of it
    version      INTEGER NOT NULL,
    mark         BLOB NOT NULL,
    applied      INTEGER NOT NULL,
    next         INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder       TEXT NOT NULL,    -- the process that does it now
    held_until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contain_runs_next ON contain_runs (next);
CREATE INDEX contain_runs_subscription ON contain_runs (subscription);
-- The steps of a run. Marked.
CREATE TABLE contain_steps (
    run        TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- counts from 1, in order
    state      TEXT NOT NULL CHECK (state IN ('ready', 'going', 'done', 'found', 'failed', 'left', 'undoing', 'undone', 'stays', 'not-taken')),
    step       TEXT NOT NULL,    -- JSON: as the plan has it
    body       TEXT NOT NULL,    -- JSON: how far it came
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
-- What was asked of Microsoft: written before it is asked, and again when the answer is there.
CREATE TABLE contain_acts (
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
-- A second person's yes to exactly the steps of a run. Marked.
CREATE TABLE contain_approvals (
    run        TEXT PRIMARY KEY,
    hash       TEXT NOT NULL,    -- of the plan and its steps
    actor      TEXT NOT NULL,
    approved   INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
