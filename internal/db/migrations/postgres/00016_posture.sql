-- +goose Up
-- What was judged of each tenant, over time. A round is a judgement that differs
-- from the one before; one that does not moves the end of the last round.
CREATE TABLE posture_rounds (
    tenant     text NOT NULL,
    round      bigint NOT NULL, -- from 1, in the order of judging
    as_of      bigint NOT NULL, -- microseconds, as are all times here
    judged     bigint NOT NULL,
    last_as_of bigint NOT NULL,
    last       bigint NOT NULL, -- judged so for the last time
    book       text NOT NULL,    -- the rule book's day
    program    text NOT NULL,
    segment    text NOT NULL,    -- newest of the archive when judged for the last time
    root       text NOT NULL,
    PRIMARY KEY (tenant, round)
);
-- What was known of one thing from a round until another: a requirement, an
-- account, a setting, a list, a disagreement, a statement.
CREATE TABLE posture_facts (
    tenant  text NOT NULL,
    kind    text NOT NULL,
    subject text NOT NULL,
    since   bigint NOT NULL, -- the round
    till    bigint NOT NULL, -- the round from which on it is otherwise; 0 is still so
    digest  text NOT NULL,
    body    text NOT NULL,    -- JSON
    PRIMARY KEY (tenant, kind, subject, since)
);
CREATE INDEX posture_facts_now ON posture_facts (tenant, till);
-- The sign-ins of a UTC day, rolled up.
CREATE TABLE posture_rollups (
    tenant  text NOT NULL,
    day     text NOT NULL,
    entries bigint NOT NULL,
    rows_in bigint NOT NULL,
    unasked bigint NOT NULL, -- not challenged
    body    bytea NOT NULL,    -- zstd
    PRIMARY KEY (tenant, day)
);
-- A judging again of the archive by the rules of now, beside what was judged then.
CREATE TABLE posture_rejudges (
    id      text PRIMARY KEY,
    began   bigint NOT NULL,
    since   bigint NOT NULL,
    until   bigint NOT NULL,
    step    bigint NOT NULL, -- seconds
    span    bigint NOT NULL, -- seconds of the log before each moment
    tenants text NOT NULL,    -- JSON
    total   bigint NOT NULL,
    book    text NOT NULL,
    program text NOT NULL,
    actor   text NOT NULL
);
CREATE TABLE posture_rejudged (
    run    text NOT NULL,
    tenant text NOT NULL,
    as_of  bigint NOT NULL,
    judged bigint NOT NULL,
    book    text NOT NULL,
    program text NOT NULL,
    error  text NOT NULL, -- why it could not be judged; else empty
    body   text NOT NULL, -- verdicts, JSON
    PRIMARY KEY (run, tenant, as_of)
);
-- Exceptions that one person asked for and another approved. A row carries a mark:
-- it keeps alerts silent.
CREATE TABLE exceptions (
    id          text PRIMARY KEY,
    requirement text NOT NULL,
    accounts    text NOT NULL, -- JSON; none is the whole requirement
    owner       text NOT NULL,
    reason      text NOT NULL,
    control     text NOT NULL,
    added_by    text NOT NULL,
    added       bigint NOT NULL,
    expires     bigint NOT NULL,
    state       text NOT NULL CHECK (state IN ('proposed', 'approved', 'ended')),
    decided_by  text NOT NULL,
    decided     bigint NOT NULL,
    ended_by    text NOT NULL,
    ended       bigint NOT NULL,
    version     bigint NOT NULL,
    mark        bytea NOT NULL
);
-- Attestations that were kept here instead of in a file. Marked: one turns unknown
-- to attested.
CREATE TABLE attestations (
    id     text PRIMARY KEY,
    tenant text NOT NULL, -- whose requirement; empty is every tenant's
    body   text NOT NULL, -- the statement, JSON
    actor  text NOT NULL,
    kept   bigint NOT NULL,
    mark   bytea NOT NULL
);
