-- +goose Up
-- Plans as they were taken over: what is done is held to them. Marked.
CREATE TABLE remedy_plans (
    id         text PRIMARY KEY, -- SHA-256 of what a signature covers
    body       text NOT NULL,    -- the file
    made       bigint NOT NULL, -- when it was taken over; microseconds, as are all times here
    actor      text NOT NULL,
    mark       bytea NOT NULL
);
-- Plans that somebody wants done. Marked, but for when one is looked at again and who does
-- that now: these steer nothing but time.
CREATE TABLE remedy_runs (
    id         text PRIMARY KEY,
    tenant     text NOT NULL,    -- in lower case
    state      text NOT NULL CHECK (state IN ('waiting', 'running', 'watching', 'holding', 'stopped', 'undoing', 'undone', 'ended')),
    body       text NOT NULL,    -- JSON: its plan, how far it came, and what was found out
    version    bigint NOT NULL,
    mark       bytea NOT NULL,
    applied    bigint NOT NULL,
    next       bigint NOT NULL, -- looked at again then; 0: not by itself
    holder     text NOT NULL,    -- the process that does it now
    held_until bigint NOT NULL
);
CREATE INDEX remedy_runs_next ON remedy_runs (next);
CREATE INDEX remedy_runs_tenant ON remedy_runs (tenant);
-- The steps of a run, those of a stage from when it was begun. Marked.
CREATE TABLE remedy_steps (
    run        text NOT NULL,
    seq        bigint NOT NULL, -- counts from 1, in order
    state      text NOT NULL
        CHECK (state IN ('ready', 'going', 'asked', 'done', 'found', 'failed', 'left', 'undoing', 'undone', 'stays', 'not-taken')),
    step       text NOT NULL,    -- JSON: what it does in its stage
    body       text NOT NULL,    -- JSON: how far it came, and the object as it was
    version    bigint NOT NULL,
    mark       bytea NOT NULL,
    PRIMARY KEY (run, seq)
);
-- What was asked of Microsoft: written before it is asked, and again when the answer is there.
CREATE TABLE remedy_acts (
    run        text NOT NULL,
    seq        bigint NOT NULL, -- of the step
    n          bigint NOT NULL, -- counts from 1
    what       text NOT NULL,
    asked      bigint NOT NULL,
    answered   bigint NOT NULL, -- 0: no answer is known
    result     text NOT NULL,
    words      text NOT NULL,
    PRIMARY KEY (run, seq, n)
);
-- A second person's yes to exactly one plan. Marked.
CREATE TABLE remedy_approvals (
    run        text PRIMARY KEY,
    plan       text NOT NULL,    -- its SHA-256
    actor      text NOT NULL,
    approved   bigint NOT NULL,
    mark       bytea NOT NULL
);
