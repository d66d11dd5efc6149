-- +goose Up
-- What is told to people: messages, with a delivery a channel and its attempts.
CREATE TABLE notify_messages (
    id     TEXT PRIMARY KEY,
    at     INTEGER NOT NULL, -- microseconds, as are all times here
    test   INTEGER NOT NULL, -- 1: nothing has happened
    thread TEXT NOT NULL,    -- the alert's id, else empty
    title  TEXT NOT NULL,
    body   TEXT NOT NULL     -- the message, JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX notify_messages_at ON notify_messages (at);
CREATE TABLE notify_deliveries (
    message TEXT NOT NULL,
    channel TEXT NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    tries   INTEGER NOT NULL,
    due     INTEGER NOT NULL, -- the next attempt is not before
    changed INTEGER NOT NULL,
    PRIMARY KEY (message, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX notify_deliveries_due ON notify_deliveries (state, due);
CREATE TABLE notify_attempts (
    message TEXT NOT NULL,
    channel TEXT NOT NULL,
    n       INTEGER NOT NULL, -- from 1
    began   INTEGER NOT NULL,
    took    INTEGER NOT NULL, -- microseconds
    outcome TEXT NOT NULL CHECK (outcome IN ('begun', 'sent', 'failed')), -- begun: nobody knows how it ended
    status  TEXT NOT NULL,    -- the number of the answer
    words   TEXT NOT NULL,    -- what failed
    fix     TEXT NOT NULL,    -- what mends it
    PRIMARY KEY (message, channel, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX notify_attempts_last ON notify_attempts (channel, began);
-- What is wrong, one row a cause.
CREATE TABLE alerts (
    id       TEXT PRIMARY KEY,
    source   TEXT NOT NULL,
    key      TEXT NOT NULL, -- of the cause
    kind     TEXT NOT NULL,
    severity TEXT NOT NULL,
    tenant   TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('open', 'resolved')),
    opened   INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    resolved INTEGER NOT NULL,
    told     INTEGER NOT NULL, -- handed to the first channel; 0 never
    body     TEXT NOT NULL,    -- the finding, JSON
    steps    TEXT NOT NULL     -- to which channels it was escalated, JSON
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE state = 'open';
CREATE INDEX alerts_changed ON alerts (state, changed);
CREATE TABLE alert_events (
    alert TEXT NOT NULL,
    n     INTEGER NOT NULL, -- from 1
    at    INTEGER NOT NULL,
    what  TEXT NOT NULL,
    actor TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (alert, n)
) STRICT, WITHOUT ROWID;
-- What people did about an alert. Marked: it keeps one silent.
CREATE TABLE alert_acts (
    alert   TEXT PRIMARY KEY,
    acked   INTEGER NOT NULL,
    acker   TEXT NOT NULL,
    until   INTEGER NOT NULL, -- silent before
    snoozer TEXT NOT NULL,
    why     TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- What waits for a channel: for others to go with it, for the day or for the digest.
CREATE TABLE alert_queue (
    channel TEXT NOT NULL,
    alert   TEXT NOT NULL,
    what    TEXT NOT NULL,
    since   INTEGER NOT NULL,
    due     INTEGER NOT NULL,
    digest  INTEGER NOT NULL, -- 1: of a digest
    PRIMARY KEY (channel, alert)
) STRICT, WITHOUT ROWID;
-- Causes that made something worse, for as long as anything of it lasts, and how far
-- judgements were looked at for them.
CREATE TABLE alert_causes (
    key    TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    body   TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;
CREATE TABLE alert_cursors (
    tenant TEXT PRIMARY KEY,
    round  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Calendars of deadlines, each a person's, by the hash of its secret. Marked: it shows
-- what its owner may see.
CREATE TABLE alert_feeds (
    id      TEXT PRIMARY KEY,
    hash    TEXT NOT NULL UNIQUE,
    owner   TEXT NOT NULL,
    name    TEXT NOT NULL,
    tenants TEXT NOT NULL, -- JSON; null is all
    made    INTEGER NOT NULL,
    ended   INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- How often an entry of the calendars changed.
CREATE TABLE alert_calendar (
    uid      TEXT PRIMARY KEY,
    digest   TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    changed  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
