-- +goose Up
-- Partners that were invited to consent to a control panel vendor's app.
CREATE TABLE invitations (
    id         text PRIMARY KEY, -- "i-…", for people
    hash       text NOT NULL UNIQUE, -- SHA-256 of the link's secret, hex
    tenant     text NOT NULL, -- that may answer: its id
    client_id  text NOT NULL,
    name       text NOT NULL, -- of the connection; '' is the domain
    features   text NOT NULL, -- JSON list
    made_by    text NOT NULL,
    made_at    bigint NOT NULL, -- microseconds
    expires_at bigint NOT NULL,
    used_at    bigint NOT NULL, -- 0 while it waits
    connection text NOT NULL -- id, once used
);
