-- +goose Up
-- A yes is for what the caller proved itself by, too. A yes from before did not
-- say for whom, and is asked for anew: the audit trail has what was decided.
DROP TABLE approvals;
CREATE TABLE approvals (
    id         TEXT PRIMARY KEY,
    caller     TEXT NOT NULL,
    subject    TEXT NOT NULL, -- a certificate's key, a token's subject
    connection TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    resource   TEXT NOT NULL,
    state      TEXT NOT NULL, -- pending, approved, withdrawn
    asked_at   INTEGER NOT NULL, -- microseconds
    actor      TEXT NOT NULL, -- who asked
    decided_at INTEGER NOT NULL, -- 0 while pending
    decided_by TEXT NOT NULL,
    until_at   INTEGER NOT NULL, -- the end of an approval
    mark       BLOB NOT NULL DEFAULT x'',
    UNIQUE (caller, subject, connection, tenant, resource)
) STRICT;
