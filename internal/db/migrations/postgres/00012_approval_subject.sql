-- +goose Up
-- A yes is for what the caller proved itself by, too. A yes from before did not
-- say for whom, and is asked for anew: the audit trail has what was decided.
DROP TABLE approvals;
CREATE TABLE approvals (
    id         text PRIMARY KEY,
    caller     text NOT NULL,
    subject    text NOT NULL, -- a certificate's key, a token's subject
    connection text NOT NULL,
    tenant     text NOT NULL,
    resource   text NOT NULL,
    state      text NOT NULL, -- pending, approved, withdrawn
    asked_at   bigint NOT NULL, -- microseconds
    actor      text NOT NULL, -- who asked
    decided_at bigint NOT NULL, -- 0 while pending
    decided_by text NOT NULL,
    until_at   bigint NOT NULL, -- the end of an approval
    mark       bytea NOT NULL DEFAULT '',
    UNIQUE (caller, subject, connection, tenant, resource)
);
