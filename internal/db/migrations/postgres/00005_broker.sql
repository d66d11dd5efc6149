-- +goose Up
-- What callers asked for that a person must approve: one row for each thing
-- asked for; what happened before is in the audit trail.
CREATE TABLE approvals (
    id         text PRIMARY KEY,
    caller     text NOT NULL,
    connection text NOT NULL,
    tenant     text NOT NULL,
    resource   text NOT NULL,
    state      text NOT NULL, -- pending, approved, withdrawn
    asked_at   bigint NOT NULL, -- microseconds
    actor      text NOT NULL, -- who asked
    decided_at bigint NOT NULL, -- 0 while pending
    decided_by text NOT NULL,
    until_at   bigint NOT NULL, -- the end of an approval
    UNIQUE (caller, connection, tenant, resource)
);
