-- +goose Up
-- Plans of containment as they were made: what is applied is held to them. Marked.
CREATE TABLE contain_plans (
    id         text PRIMARY KEY,
    body       text NOT NULL,    -- JSON: the whole plan
    made       bigint NOT NULL, -- microseconds, as are all times here
    actor      text NOT NULL,
    mark       bytea NOT NULL
);
-- Plans that somebody wants done. Marked, but for when one is looked at again and who does
-- that now: these steer nothing but time.
CREATE TABLE contain_runs (
    id           text PRIMARY KEY,
    subscription text NOT NULL,    -- of Azure, in lower case
    state        text NOT NULL CHECK (state IN ('waiting', 'running', 'stopped', 'restoring', 'over')),
    body         text NOT NULL,    -- JSON: the plan without its steps, and what became of it
    version      bigint NOT NULL,
    mark         bytea NOT NULL,
    applied      bigint NOT NULL,
    next         bigint NOT NULL, -- looked at again then; 0: not by itself
    holder       text NOT NULL,    -- the process that does it now
    held_until   bigint NOT NULL
);
CREATE INDEX contain_runs_next ON contain_runs (next);
CREATE INDEX contain_runs_subscription ON contain_runs (subscription);
-- The steps of a run. Marked.
CREATE TABLE contain_steps (
    run        text NOT NULL,
    seq        bigint NOT NULL, -- counts from 1, in order
    state      text NOT NULL CHECK (state IN ('ready', 'going', 'done', 'found', 'failed', 'left', 'undoing', 'undone', 'stays', 'not-taken')),
    step       text NOT NULL,    -- JSON: as the plan has it
    body       text NOT NULL,    -- JSON: how far it came
    version    bigint NOT NULL,
    mark       bytea NOT NULL,
    PRIMARY KEY (run, seq)
);
-- What was asked of Microsoft: written before it is asked, and again when the answer is there.
CREATE TABLE contain_acts (
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
-- A second person's yes to exactly the steps of a run. Marked.
CREATE TABLE contain_approvals (
    run        text PRIMARY KEY,
    hash       text NOT NULL,    -- of the plan and its steps
    actor      text NOT NULL,
    approved   bigint NOT NULL,
    mark       bytea NOT NULL
);
