-- +goose Up
-- The people and factors of our own provider of External MFA. A row that grants is marked:
-- a MAC of the vault over all of it. look is what it is found by, body is JSON, times are
-- microseconds, state is a word of the code.
CREATE TABLE mfa_people (
    id      text PRIMARY KEY,
    look    text NOT NULL UNIQUE, -- tenant/object, both ids
    person  text NOT NULL, -- id of mfa_people; '' where nobody is known
    state   text NOT NULL, -- active, blocked
    ends    bigint NOT NULL, -- 0: it has no end
    body    text NOT NULL,
    version bigint NOT NULL,
    mark    bytea NOT NULL
);
CREATE TABLE mfa_factors (
    id      text PRIMARY KEY,
    look    text NOT NULL UNIQUE, -- credential id of a security key, base64url; else the id
    person  text NOT NULL, -- id of mfa_people; '' where nobody is known
    state   text NOT NULL, -- active
    ends    bigint NOT NULL, -- 0: it has no end
    body    text NOT NULL,
    version bigint NOT NULL,
    mark    bytea NOT NULL
);
CREATE TABLE mfa_challenges (
    id      text PRIMARY KEY,
    look    text NOT NULL, -- SHA-256 of the browser's cookie, hex
    person  text NOT NULL, -- id of mfa_people; '' where nobody is known
    state   text NOT NULL, -- waits, done
    ends    bigint NOT NULL, -- 0: it has no end
    body    text NOT NULL,
    version bigint NOT NULL,
    mark    bytea NOT NULL
);
CREATE TABLE mfa_sessions (
    id      text PRIMARY KEY,
    look    text NOT NULL UNIQUE, -- SHA-256 of the browser's cookie, hex
    person  text NOT NULL, -- id of mfa_people; '' where nobody is known
    state   text NOT NULL, -- enrol, own
    ends    bigint NOT NULL, -- 0: it has no end
    body    text NOT NULL,
    version bigint NOT NULL,
    mark    bytea NOT NULL
);
CREATE TABLE mfa_invitations (
    id      text PRIMARY KEY,
    look    text NOT NULL UNIQUE, -- SHA-256 of the link's secret, hex
    person  text NOT NULL, -- id of mfa_people; '' where nobody is known
    state   text NOT NULL, -- waits, used, withdrawn
    ends    bigint NOT NULL, -- 0: it has no end
    body    text NOT NULL,
    version bigint NOT NULL,
    mark    bytea NOT NULL
);
CREATE TABLE mfa_acts (
    id      text PRIMARY KEY,
    look    text NOT NULL, -- what is asked for: reset, pass
    person  text NOT NULL, -- id of mfa_people; '' where nobody is known
    state   text NOT NULL, -- asked, approved, used, withdrawn
    ends    bigint NOT NULL, -- 0: it has no end
    body    text NOT NULL,
    version bigint NOT NULL,
    mark    bytea NOT NULL
);
-- What was seen of people that somebody should look at. It grants nothing, and is not marked.
CREATE TABLE mfa_notes (
    id     text PRIMARY KEY,
    person text NOT NULL,
    at     bigint NOT NULL,
    kind   text NOT NULL,
    source text NOT NULL, -- the network that it came from
    words  text NOT NULL
);
-- Wrong answers that still count, of an account and of a network.
CREATE TABLE mfa_tries (
    id      text PRIMARY KEY,
    person  text NOT NULL,
    last    bigint NOT NULL,
    until   bigint NOT NULL, -- no answer is looked at before; 0: any
    body    text NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX mfa_factors_person ON mfa_factors (person);
CREATE INDEX mfa_acts_person ON mfa_acts (person);
CREATE INDEX mfa_notes_person ON mfa_notes (person);
CREATE INDEX mfa_challenges_ends ON mfa_challenges (ends);
