-- +goose Up
-- Partners that were invited to consent to a control panel vendor's app.
CREATE TABLE invitations (
    id         TEXT PRIMARY KEY, -- "i-…", for people
    hash       TEXT NOT NULL UNIQUE, -- SHA-256 of the link's secret, hex
    tenant     TEXT NOT NULL, -- that may answer: its id
    client_id  TEXT NOT NULL,
    name       TEXT NOT NULL, -- of the connection; '' is the domain
    features   TEXT NOT NULL, -- JSON list
    made_by    TEXT NOT NULL,
    made_at    INTEGER NOT NULL, -- microseconds
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL, -- 0 while it waits
    connection TEXT NOT NULL -- id, once used
) STRICT;
