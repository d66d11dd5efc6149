-- +goose Up
-- What is told to people: messages, with a delivery a channel and its attempts.
CREATE TABLE notify_messages (
    id     text PRIMARY KEY,
    at     bigint NOT NULL, -- microseconds, as are all times here
    test   bigint NOT NULL, -- 1: nothing has happened
    thread text NOT NULL,    -- the alert's id, else empty
    title  text NOT NULL,
    body   text NOT NULL     -- the message, JSON
);
CREATE INDEX notify_messages_at ON notify_messages (at);
CREATE TABLE notify_deliveries (
    message text NOT NULL,
    channel text NOT NULL,
    state   text NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    tries   bigint NOT NULL,
    due     bigint NOT NULL, -- the next attempt is not before
    changed bigint NOT NULL,
    PRIMARY KEY (message, channel)
);
CREATE INDEX notify_deliveries_due ON notify_deliveries (state, due);
CREATE TABLE notify_attempts (
    message text NOT NULL,
    channel text NOT NULL,
    n       bigint NOT NULL, -- from 1
    began   bigint NOT NULL,
    took    bigint NOT NULL, -- microseconds
    outcome text NOT NULL CHECK (outcome IN ('begun', 'sent', 'failed')), -- begun: nobody knows how it ended
    status  text NOT NULL,    -- the number of the answer
    words   text NOT NULL,    -- what failed
    fix     text NOT NULL,    -- what mends it
    PRIMARY KEY (message, channel, n)
);
CREATE INDEX notify_attempts_last ON notify_attempts (channel, began);
-- What is wrong, one row a cause.
CREATE TABLE alerts (
    id       text PRIMARY KEY,
    source   text NOT NULL,
    key      text NOT NULL, -- of the cause
    kind     text NOT NULL,
    severity text NOT NULL,
    tenant   text NOT NULL,
    state    text NOT NULL CHECK (state IN ('open', 'resolved')),
    opened   bigint NOT NULL,
    changed  bigint NOT NULL,
    resolved bigint NOT NULL,
    told     bigint NOT NULL, -- handed to the first channel; 0 never
    body     text NOT NULL,    -- the finding, JSON
    steps    text NOT NULL     -- to which channels it was escalated, JSON
);
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE state = 'open';
CREATE INDEX alerts_changed ON alerts (state, changed);
CREATE TABLE alert_events (
    alert text NOT NULL,
    n     bigint NOT NULL, -- from 1
    at    bigint NOT NULL,
    what  text NOT NULL,
    actor text NOT NULL,
    words text NOT NULL,
    PRIMARY KEY (alert, n)
);
-- What people did about an alert. Marked: it keeps one silent.
CREATE TABLE alert_acts (
    alert   text PRIMARY KEY,
    acked   bigint NOT NULL,
    acker   text NOT NULL,
    until   bigint NOT NULL, -- silent before
    snoozer text NOT NULL,
    why     text NOT NULL,
    version bigint NOT NULL,
    mark    bytea NOT NULL
);
-- What waits for a channel: for others to go with it, for the day or for the digest.
CREATE TABLE alert_queue (
    channel text NOT NULL,
    alert   text NOT NULL,
    what    text NOT NULL,
    since   bigint NOT NULL,
    due     bigint NOT NULL,
    digest  bigint NOT NULL, -- 1: of a digest
    PRIMARY KEY (channel, alert)
);
-- Causes that made something worse, for as long as anything of it lasts, and how far
-- judgements were looked at for them.
CREATE TABLE alert_causes (
    key    text PRIMARY KEY,
    tenant text NOT NULL,
    body   text NOT NULL -- JSON
);
CREATE TABLE alert_cursors (
    tenant text PRIMARY KEY,
    round  bigint NOT NULL
);
-- Calendars of deadlines, each a person's, by the hash of its secret. Marked: it shows
-- what its owner may see.
CREATE TABLE alert_feeds (
    id      text PRIMARY KEY,
    hash    text NOT NULL UNIQUE,
    owner   text NOT NULL,
    name    text NOT NULL,
    tenants text NOT NULL, -- JSON; null is all
    made    bigint NOT NULL,
    ended   bigint NOT NULL,
    mark    bytea NOT NULL
);
-- How often an entry of the calendars changed.
CREATE TABLE alert_calendar (
    uid      text PRIMARY KEY,
    digest   text NOT NULL,
    sequence bigint NOT NULL,
    changed  bigint NOT NULL
);
