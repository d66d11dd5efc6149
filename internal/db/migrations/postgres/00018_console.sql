-- +goose Up
-- Who is in the console. Every row that lets somebody in, or says what they may, is
-- marked: a MAC of the vault over all of it but what is said not to be.
CREATE TABLE console_sessions (
    id        text PRIMARY KEY,
    hash      text NOT NULL,    -- SHA-256 of the secret in the cookie, hex
    way       text NOT NULL,    -- link, entra
    actor     text NOT NULL,
    subject   text NOT NULL,    -- object id; '' with a link
    name      text NOT NULL,
    tenant    text NOT NULL,    -- whose people came in; '' with a link
    role      text NOT NULL,    -- as of entry
    customers text NOT NULL,    -- as of entry, JSON; null is all
    held      text NOT NULL,    -- directory roles and groups of the id token, JSON
    made      bigint NOT NULL, -- microseconds, as are all times here
    seen      bigint NOT NULL, -- written at most once a minute
    idles     bigint NOT NULL, -- ends here unless it is used
    ends      bigint NOT NULL, -- ends here whatever happens
    proof     text NOT NULL,    -- what MFA was proven by
    proven    bigint NOT NULL, -- when; 0: not told
    address   text NOT NULL,
    client    text NOT NULL,
    version   bigint NOT NULL,
    mark      bytea NOT NULL
);
-- Links that let in once, from this machine.
CREATE TABLE console_links (
    id    text PRIMARY KEY,
    hash  text NOT NULL,
    actor text NOT NULL,
    made  bigint NOT NULL,
    ends  bigint NOT NULL,
    mark  bytea NOT NULL
);
-- Roles that somebody with the right to manage gave.
CREATE TABLE console_roles (
    id        text PRIMARY KEY,
    tenant    text NOT NULL,
    kind      text NOT NULL,    -- user, group
    subject   text NOT NULL,    -- object id
    name      text NOT NULL,    -- for people
    role      text NOT NULL,
    customers text NOT NULL,    -- JSON; null is all
    made      bigint NOT NULL,
    actor     text NOT NULL,    -- who gave it
    mark      bytea NOT NULL
);
-- Tokens of programs.
CREATE TABLE console_tokens (
    id        text PRIMARY KEY,
    name      text NOT NULL,
    hash      text NOT NULL,
    rights    text NOT NULL,    -- JSON
    customers text NOT NULL,    -- JSON; null is all
    made      bigint NOT NULL,
    ends      bigint NOT NULL,
    actor     text NOT NULL,    -- who made it
    used      bigint NOT NULL, -- written at most once a minute; not marked
    mark      bytea NOT NULL
);
CREATE INDEX console_tokens_hash ON console_tokens (hash);
CREATE INDEX console_links_hash ON console_links (hash);
