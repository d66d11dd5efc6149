-- +goose Up
-- Connections: one account's consent to one app in one partner tenant. The
-- columns are what is searched, compared or fenced by; body is the whole record
-- as JSON. Refresh tokens are in the vault, by connection and generation.
CREATE TABLE connections (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE, -- lower case
    tenant      TEXT NOT NULL,        -- lower case, as the two below
    client_id   TEXT NOT NULL,
    account     TEXT NOT NULL,        -- object id, or the user principal name without one
    state       TEXT NOT NULL,
    generation  INTEGER NOT NULL,     -- of the newest refresh token; the fence of every change
    previous    INTEGER NOT NULL,     -- generation kept until the newest was used with success; 0: none
    renew_after INTEGER NOT NULL,
    lease_by    TEXT NOT NULL,        -- who renews it now; '' nobody
    lease_until INTEGER NOT NULL,
    changes     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    UNIQUE (tenant, client_id, account)
) STRICT;

CREATE INDEX connections_due ON connections (renew_after);

-- Apps of ours with what proves them. Keys and secrets are in the vault.
CREATE TABLE registrations (
    client_id TEXT PRIMARY KEY, -- lower case
    sealed    TEXT NOT NULL,    -- name of the vault row; '' none is needed
    waiting   TEXT NOT NULL,    -- JSON of a certificate made and not yet in use; '' none
    body      TEXT NOT NULL
) STRICT;
