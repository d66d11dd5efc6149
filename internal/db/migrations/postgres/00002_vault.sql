-- +goose Up
-- The keyset that seals the rows, itself sealed by a data key, which the master key wraps. One row.
CREATE TABLE vault_keyset (
    id            integer PRIMARY KEY CHECK (id = 1),
    vault         text    NOT NULL,
    generation    bigint  NOT NULL, -- counts changes of the keys inside, not of the master
    master_kind   text    NOT NULL,
    master_id     text    NOT NULL,
    master_params text    NOT NULL, -- JSON, by kind
    wrapped       bytea   NOT NULL, -- the data key, wrapped by the master key
    keyset        bytea   NOT NULL, -- the keyset, sealed by the data key
    created       bigint  NOT NULL,
    changed       bigint  NOT NULL
);

-- Secrets, each sealed under the keyset and bound to its three names.
CREATE TABLE vault_rows (
    purpose text    NOT NULL,
    owner   text    NOT NULL,
    name    text    NOT NULL,
    sealed  bytea   NOT NULL,
    changed bigint  NOT NULL,
    PRIMARY KEY (purpose, owner, name)
);
