-- +goose Up
-- Plans of delegation that are applied. Marked: a MAC of the vault over all of it.
CREATE TABLE delegation_runs (
    id         text PRIMARY KEY,
    body       text NOT NULL,    -- JSON: the plan as it was applied, without its customers
    state      text NOT NULL CHECK (state IN ('running', 'stopped', 'over')),
    why        text NOT NULL,    -- it is stopped
    stage      bigint NOT NULL, -- the last that has begun
    until      bigint NOT NULL, -- the last that may begin by itself
    applied    bigint NOT NULL, -- microseconds, as are all times here
    actor      text NOT NULL,
    version    bigint NOT NULL,
    mark       bytea NOT NULL
);
-- The move of one customer, by one plan. Marked, but for when it is looked at again and who
-- does that now: these steer nothing but time.
CREATE TABLE delegation_moves (
    plan       text NOT NULL,
    customer   text NOT NULL,    -- its tenant
    stage      bigint NOT NULL,
    state      text NOT NULL CHECK (state IN ('waiting', 'checking', 'creating', 'locking', 'inviting', 'assigning', 'probing', 'easing', 'proving',
        'ending', 'removing', 'done', 'held', 'cancelling', 'cancelled', 'restoring', 'retracting', 'rolled-back')),
    wish       text NOT NULL,    -- JSON: what the plan wants of this customer
    body       text NOT NULL,    -- JSON: how far it came
    version    bigint NOT NULL,
    mark       bytea NOT NULL,
    next       bigint NOT NULL, -- looked at again then; 0: not by itself
    holder     text NOT NULL,    -- the process that does it now
    held_until bigint NOT NULL,
    PRIMARY KEY (plan, customer)
);
CREATE INDEX delegation_moves_next ON delegation_moves (next);
-- What was asked of Microsoft: written before it is asked, and again when the answer is there.
CREATE TABLE delegation_steps (
    plan       text NOT NULL,
    customer   text NOT NULL,
    seq        bigint NOT NULL, -- counts from 1
    state      text NOT NULL,
    act        text NOT NULL,
    asked      bigint NOT NULL,
    answered   bigint NOT NULL, -- 0: no answer is known
    result     text NOT NULL,
    words      text NOT NULL,
    PRIMARY KEY (plan, customer, seq)
);
-- Roles that are kept where they are, whatever was seen. Marked.
CREATE TABLE delegation_pins (
    id         text PRIMARY KEY,
    role       text NOT NULL,    -- template id
    grp        text NOT NULL,    -- a security group of the partner; '' all
    customer   text NOT NULL,    -- '' all
    reason     text NOT NULL,
    actor      text NOT NULL,
    made       bigint NOT NULL,
    mark       bytea NOT NULL
);
