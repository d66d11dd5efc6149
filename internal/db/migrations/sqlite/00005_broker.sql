-- +goose Up
-- What callers asked for that a person must approve: one row for each thing
-- asked for; what happened before is in the audit trail.
CREATE TABLE approvals (
    id         TEXT PRIMARY KEY,
    caller     TEXT NOT NULL,
    connection TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    resource   TEXT NOT NULL,
    state      TEXT NOT NULL, -- pending, approved, withdrawn
    asked_at   INTEGER NOT NULL, -- microseconds
    actor      TEXT NOT NULL, -- who asked
    decided_at INTEGER NOT NULL, -- 0 while pending
    decided_by TEXT NOT NULL,
    until_at   INTEGER NOT NULL, -- the end of an approval
    UNIQUE (caller, connection, tenant, resource)
) STRICT;
