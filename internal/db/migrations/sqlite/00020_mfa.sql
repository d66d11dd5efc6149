-- +goose Up
-- The people and factors of our own provider of External MFA. A row that grants is marked:
-- a MAC of the vault over all of it. look is what it is found by, body is JSON, times are
-- microseconds, state is a word of the code.
CREATE TABLE mfa_people (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL UNIQUE, -- tenant/object, both ids
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- active, blocked
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_factors (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL UNIQUE, -- credential id of a security key, base64url; else the id
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- active
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_challenges (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL, -- SHA-256 of the browser's cookie, hex
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- waits, done
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_sessions (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL UNIQUE, -- SHA-256 of the browser's cookie, hex
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- enrol, own
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_invitations (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL UNIQUE, -- SHA-256 of the link's secret, hex
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- waits, used, withdrawn
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_acts (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL, -- what is asked for: reset, pass
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- asked, approved, used, withdrawn
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- What was seen of people that somebody should look at. It grants nothing, and is not marked.
CREATE TABLE mfa_notes (
    id     TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    source TEXT NOT NULL, -- the network that it came from
    words  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Wrong answers that still count, of an account and of a network.
CREATE TABLE mfa_tries (
    id      TEXT PRIMARY KEY,
    person  TEXT NOT NULL,
    last    INTEGER NOT NULL,
    until   INTEGER NOT NULL, -- no answer is looked at before; 0: any
    body    TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mfa_factors_person ON mfa_factors (person);
CREATE INDEX mfa_acts_person ON mfa_acts (person);
CREATE INDEX mfa_notes_person ON mfa_notes (person);
CREATE INDEX mfa_challenges_ends ON mfa_challenges (ends);
