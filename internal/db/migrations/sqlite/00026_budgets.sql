-- +goose Up
-- Plans of budgets that are applied. Marked: a MAC of the vault over all of it.
CREATE TABLE budget_runs (
    id         TEXT PRIMARY KEY,
    body       TEXT NOT NULL,    -- JSON: the plan as it was applied, without its customers
    state      TEXT NOT NULL CHECK (state IN ('running', 'over', 'back')),
    applied    INTEGER NOT NULL, -- microseconds, as are all times here
    actor      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- One budget of a plan. Marked, but for when it is looked at again and who does that now:
-- these steer nothing but time.
CREATE TABLE budget_items (
    plan       TEXT NOT NULL,
    customer   TEXT NOT NULL,    -- its tenant
    what       TEXT NOT NULL,    -- spendingBudget, or a subscription
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'found', 'kept', 'refused', 'failed', 'restoring', 'restored', 'left', 'dropped')),
    wish       TEXT NOT NULL,    -- JSON: what the plan wants
    body       TEXT NOT NULL,    -- JSON: how far it came, and what was there before
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    next       INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder     TEXT NOT NULL,    -- the process that does it now
    held_until INTEGER NOT NULL,
    PRIMARY KEY (plan, customer, what)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_items_next ON budget_items (next);
-- What was asked of Microsoft: written before it is asked, and again when the answer is there.
CREATE TABLE budget_steps (
    plan       TEXT NOT NULL,
    customer   TEXT NOT NULL,
    what       TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- counts from 1
    act        TEXT NOT NULL,
    asked      INTEGER NOT NULL,
    answered   INTEGER NOT NULL, -- 0: no answer is known
    result     TEXT NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (plan, customer, what, seq)
) STRICT, WITHOUT ROWID;
