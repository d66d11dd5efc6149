-- +goose Up
-- Plans of delegation that are applied. Marked: a MAC of the vault over all of it.
CREATE TABLE delegation_runs (
    id         TEXT PRIMARY KEY,
    body       TEXT NOT NULL,    -- JSON: the plan as it was applied, without its customers
    state      TEXT NOT NULL CHECK (state IN ('running', 'stopped', 'over')),
    why        TEXT NOT NULL,    -- it is stopped
    stage      INTEGER NOT NULL, -- the last that has begun
    until      INTEGER NOT NULL, -- the last that may begin by itself
    applied    INTEGER NOT NULL, -- microseconds, as are all times here
    actor      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- The move of one customer, by one plan. Marked, but for when it is looked at again and who
-- does that now: these steer nothing but time.
CREATE TABLE delegation_moves (
    plan       TEXT NOT NULL,
    customer   TEXT NOT NULL,    -- its tenant
    stage      INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'checking', 'creating', 'locking', 'inviting', 'assigning', 'probing', 'easing', 'proving',
        'ending', 'removing', 'done', 'held', 'cancelling', 'cancelled', 'restoring', 'retracting', 'rolled-back')),
    wish       TEXT NOT NULL,    -- JSON: what the plan wants of this customer
    body       TEXT NOT NULL,    -- JSON: how far it came
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    next       INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder     TEXT NOT NULL,    -- the process that does it now
    held_until INTEGER NOT NULL,
    PRIMARY KEY (plan, customer)
) STRICT, WITHOUT ROWID;
CREATE INDEX delegation_moves_next ON delegation_moves (next);
-- What was asked of Microsoft: written before it is asked, and again when the answer is there.
CREATE TABLE delegation_steps (
    plan       TEXT NOT NULL,
    customer   TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- counts from 1
    state      TEXT NOT NULL,
    act        TEXT NOT NULL,
    asked      INTEGER NOT NULL,
    answered   INTEGER NOT NULL, -- 0: no answer is known
    result     TEXT NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (plan, customer, seq)
) STRICT, WITHOUT ROWID;
-- Roles that are kept where they are, whatever was seen. Marked.
CREATE TABLE delegation_pins (
    id         TEXT PRIMARY KEY,
    role       TEXT NOT NULL,    -- template id
    grp        TEXT NOT NULL,    -- a security group of the partner; '' all
    customer   TEXT NOT NULL,    -- '' all
    reason     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    made       INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
