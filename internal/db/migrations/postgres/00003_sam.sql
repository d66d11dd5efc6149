-- +goose Up
-- Connections: one account's consent to one app in one partner tenant. The
-- columns are what is searched, compared or fenced by; body is the whole record
-- as JSON. Refresh tokens are in the vault, by connection and generation.
CREATE TABLE connections (
    id          text PRIMARY KEY,
    name        text NOT NULL UNIQUE, -- lower case
    tenant      text NOT NULL,        -- lower case, as the two below
    client_id   text NOT NULL,
    account     text NOT NULL,        -- object id, or the user principal name without one
    state       text NOT NULL,
    generation  bigint NOT NULL,     -- of the newest refresh token; the fence of every change
    previous    bigint NOT NULL,     -- generation kept until the newest was used with success; 0: none
    renew_after bigint NOT NULL,
    lease_by    text NOT NULL,        -- who renews it now; '' nobody
    lease_until bigint NOT NULL,
    changes     bigint NOT NULL,
    body        text NOT NULL,
    UNIQUE (tenant, client_id, account)
);

CREATE INDEX connections_due ON connections (renew_after);

-- Apps of ours with what proves them. Keys and secrets are in the vault.
CREATE TABLE registrations (
    client_id text PRIMARY KEY, -- lower case
    sealed    text NOT NULL,    -- name of the vault row; '' none is needed
    waiting   text NOT NULL,    -- JSON of a certificate made and not yet in use; '' none
    body      text NOT NULL
);
