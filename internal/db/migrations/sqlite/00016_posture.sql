-- +goose Up
-- What was judged of each tenant, over time. A round is a judgement that differs
-- from the one before; one that does not moves the end of the last round.
CREATE TABLE posture_rounds (
    tenant     TEXT NOT NULL,
    round      INTEGER NOT NULL, -- from 1, in the order of judging
    as_of      INTEGER NOT NULL, -- microseconds, as are all times here
    judged     INTEGER NOT NULL,
    last_as_of INTEGER NOT NULL,
    last       INTEGER NOT NULL, -- judged so for the last time
    book       TEXT NOT NULL,    -- the rule book's day
    program    TEXT NOT NULL,
    segment    TEXT NOT NULL,    -- newest of the archive when judged for the last time
    root       TEXT NOT NULL,
    PRIMARY KEY (tenant, round)
) STRICT, WITHOUT ROWID;
-- What was known of one thing from a round until another: a requirement, an
-- account, a setting, a list, a disagreement, a statement.
CREATE TABLE posture_facts (
    tenant  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    since   INTEGER NOT NULL, -- the round
    till    INTEGER NOT NULL, -- the round from which on it is otherwise; 0 is still so
    digest  TEXT NOT NULL,
    body    TEXT NOT NULL,    -- JSON
    PRIMARY KEY (tenant, kind, subject, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX posture_facts_now ON posture_facts (tenant, till);
-- The sign-ins of a UTC day, rolled up.
CREATE TABLE posture_rollups (
    tenant  TEXT NOT NULL,
    day     TEXT NOT NULL,
    entries INTEGER NOT NULL,
    rows_in INTEGER NOT NULL,
    unasked INTEGER NOT NULL, -- not challenged
    body    BLOB NOT NULL,    -- zstd
    PRIMARY KEY (tenant, day)
) STRICT, WITHOUT ROWID;
-- A judging again of the archive by the rules of now, beside what was judged then.
CREATE TABLE posture_rejudges (
    id      TEXT PRIMARY KEY,
    began   INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    step    INTEGER NOT NULL, -- seconds
    span    INTEGER NOT NULL, -- seconds of the log before each moment
    tenants TEXT NOT NULL,    -- JSON
    total   INTEGER NOT NULL,
    book    TEXT NOT NULL,
    program TEXT NOT NULL,
    actor   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE posture_rejudged (
    run    TEXT NOT NULL,
    tenant TEXT NOT NULL,
    as_of  INTEGER NOT NULL,
    judged INTEGER NOT NULL,
    book    TEXT NOT NULL,
    program TEXT NOT NULL,
    error  TEXT NOT NULL, -- why it could not be judged; else empty
    body   TEXT NOT NULL, -- verdicts, JSON
    PRIMARY KEY (run, tenant, as_of)
) STRICT, WITHOUT ROWID;
-- Exceptions that one person asked for and another approved. A row carries a mark:
-- it keeps alerts silent.
CREATE TABLE exceptions (
    id          TEXT PRIMARY KEY,
    requirement TEXT NOT NULL,
    accounts    TEXT NOT NULL, -- JSON; none is the whole requirement
    owner       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    control     TEXT NOT NULL,
    added_by    TEXT NOT NULL,
    added       INTEGER NOT NULL,
    expires     INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'ended')),
    decided_by  TEXT NOT NULL,
    decided     INTEGER NOT NULL,
    ended_by    TEXT NOT NULL,
    ended       INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    mark        BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Attestations that were kept here instead of in a file. Marked: one turns unknown
-- to attested.
CREATE TABLE attestations (
    id     TEXT PRIMARY KEY,
    tenant TEXT NOT NULL, -- whose requirement; empty is every tenant's
    body   TEXT NOT NULL, -- the statement, JSON
    actor  TEXT NOT NULL,
    kept   INTEGER NOT NULL,
    mark   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
