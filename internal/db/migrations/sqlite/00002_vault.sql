-- +goose Up
-- The keyset that seals the rows, itself sealed by a data key, which the master key wraps. One row.
CREATE TABLE vault_keyset (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    vault         TEXT    NOT NULL,
    generation    INTEGER NOT NULL, -- counts changes of the keys inside, not of the master
    master_kind   TEXT    NOT NULL,
    master_id     TEXT    NOT NULL,
    master_params TEXT    NOT NULL, -- JSON, by kind
    wrapped       BLOB    NOT NULL, -- the data key, wrapped by the master key
    keyset        BLOB    NOT NULL, -- the keyset, sealed by the data key
    created       INTEGER NOT NULL,
    changed       INTEGER NOT NULL
) STRICT;

-- Secrets, each sealed under the keyset and bound to its three names.
CREATE TABLE vault_rows (
    purpose TEXT    NOT NULL,
    owner   TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    sealed  BLOB    NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (purpose, owner, name)
) STRICT;
