-- +goose Up
-- Who is in the console. Every row that lets somebody in, or says what they may, is
-- marked: a MAC of the vault over all of it but what is said not to be.
CREATE TABLE console_sessions (
    id        TEXT PRIMARY KEY,
    hash      TEXT NOT NULL,    -- SHA-256 of the secret in the cookie, hex
    way       TEXT NOT NULL,    -- link, entra
    actor     TEXT NOT NULL,
    subject   TEXT NOT NULL,    -- object id; '' with a link
    name      TEXT NOT NULL,
    tenant    TEXT NOT NULL,    -- whose people came in; '' with a link
    role      TEXT NOT NULL,    -- as of entry
    customers TEXT NOT NULL,    -- as of entry, JSON; null is all
    held      TEXT NOT NULL,    -- directory roles and groups of the id token, JSON
    made      INTEGER NOT NULL, -- microseconds, as are all times here
    seen      INTEGER NOT NULL, -- written at most once a minute
    idles     INTEGER NOT NULL, -- ends here unless it is used
    ends      INTEGER NOT NULL, -- ends here whatever happens
    proof     TEXT NOT NULL,    -- what MFA was proven by
    proven    INTEGER NOT NULL, -- when; 0: not told
    address   TEXT NOT NULL,
    client    TEXT NOT NULL,
    version   INTEGER NOT NULL,
    mark      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Links that let in once, from this machine.
CREATE TABLE console_links (
    id    TEXT PRIMARY KEY,
    hash  TEXT NOT NULL,
    actor TEXT NOT NULL,
    made  INTEGER NOT NULL,
    ends  INTEGER NOT NULL,
    mark  BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Roles that somebody with the right to manage gave.
CREATE TABLE console_roles (
    id        TEXT PRIMARY KEY,
    tenant    TEXT NOT NULL,
    kind      TEXT NOT NULL,    -- user, group
    subject   TEXT NOT NULL,    -- object id
    name      TEXT NOT NULL,    -- for people
    role      TEXT NOT NULL,
    customers TEXT NOT NULL,    -- JSON; null is all
    made      INTEGER NOT NULL,
    actor     TEXT NOT NULL,    -- who gave it
    mark      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Tokens of programs.
CREATE TABLE console_tokens (
    id        TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    hash      TEXT NOT NULL,
    rights    TEXT NOT NULL,    -- JSON
    customers TEXT NOT NULL,    -- JSON; null is all
    made      INTEGER NOT NULL,
    ends      INTEGER NOT NULL,
    actor     TEXT NOT NULL,    -- who made it
    used      INTEGER NOT NULL, -- written at most once a minute; not marked
    mark      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX console_tokens_hash ON console_tokens (hash);
CREATE INDEX console_links_hash ON console_links (hash);
