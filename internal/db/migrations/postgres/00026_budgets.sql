-- +goose Up
-- Plans of budgets that are applied. Marked: a MAC of the vault over all of it.
CREATE TABLE budget_runs (
    id         text PRIMARY KEY,
    body       text NOT NULL,    -- JSON: the plan as it was applied, without its customers
    state      text NOT NULL CHECK (state IN ('running', 'over', 'back')),
    applied    bigint NOT NULL, -- microseconds, as are all times here
    actor      text NOT NULL,
    version    bigint NOT NULL,
    mark       bytea NOT NULL
);
-- One budget of a plan. Marked, but for when it is looked at again and who does that now:
-- these steer nothing but time.
CREATE TABLE budget_items (
    plan       text NOT NULL,
    customer   text NOT NULL,    -- its tenant
    what       text NOT NULL,    -- spendingBudget, or a subscription
    state      text NOT NULL CHECK (state IN ('waiting', 'done', 'found', 'kept', 'refused', 'failed', 'restoring', 'restored', 'left', 'dropped')),
    wish       text NOT NULL,    -- JSON: what the plan wants
    body       text NOT NULL,    -- JSON: how far it came, and what was there before
    version    bigint NOT NULL,
    mark       bytea NOT NULL,
    next       bigint NOT NULL, -- looked at again then; 0: not by itself
    holder     text NOT NULL,    -- the process that does it now
    held_until bigint NOT NULL,
    PRIMARY KEY (plan, customer, what)
);
CREATE INDEX budget_items_next ON budget_items (next);
-- What was asked of Microsoft: written before it is asked, and again when the answer is there.
CREATE TABLE budget_steps (
    plan       text NOT NULL,
    customer   text NOT NULL,
    what       text NOT NULL,
    seq        bigint NOT NULL, -- counts from 1
    act        text NOT NULL,
    asked      bigint NOT NULL,
    answered   bigint NOT NULL, -- 0: no answer is known
    result     text NOT NULL,
    words      text NOT NULL,
    PRIMARY KEY (plan, customer, what, seq)
);
