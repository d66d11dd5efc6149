-- +goose Up
-- Devices that come in at the mail bridge by a password of their own. Every row is
-- marked: a MAC of the vault over all of it but what is said not to be.
CREATE TABLE bridge_devices (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    mailbox    text NOT NULL,    -- the one it opens
    protocols  text NOT NULL,    -- JSON: smtp, imap, pop3
    sources    text NOT NULL,    -- JSON: networks it comes from; none is anywhere
    senders    text NOT NULL,    -- JSON: addresses it may write as beside the mailbox's
    selector   text NOT NULL,    -- the part of the password that picks the row; no secret
    hash       text NOT NULL,    -- argon2id
    made       bigint NOT NULL, -- microseconds, as are all times here
    ends       bigint NOT NULL,
    actor      text NOT NULL,    -- who made it
    revoked    bigint NOT NULL, -- 0: it is not
    revoker    text NOT NULL,
    used       bigint NOT NULL, -- written at most once a minute; this and the next two are not marked
    used_from  text NOT NULL,
    used_by    text NOT NULL,    -- the protocol
    mark       bytea NOT NULL
);
CREATE UNIQUE INDEX bridge_devices_selector ON bridge_devices (selector);
-- Messages that were taken and are not sent yet. The message lies in a file of the
-- machine that took it, sealed under a key of its own, which the vault has. Marked.
CREATE TABLE bridge_queue (
    id         text PRIMARY KEY,
    place      text NOT NULL,    -- whose folder has the file
    device     text NOT NULL,
    mailbox    text NOT NULL,    -- who sends it upstream
    sender     text NOT NULL,    -- of the envelope
    recipients text NOT NULL,    -- JSON: each with its state
    message_id text NOT NULL,
    size       bigint NOT NULL, -- bytes
    made       bigint NOT NULL,
    next       bigint NOT NULL, -- tried again then
    tries      bigint NOT NULL,
    state      text NOT NULL,    -- waiting, ending: its end was sent and no answer is known
    bounce     bigint NOT NULL, -- 1: it is a notice of ours, and nothing is told of its failure but the trail
    doubts     bigint NOT NULL, -- how often the end of it was lost
    reason     text NOT NULL,    -- why it waits
    mark       bytea NOT NULL
);
CREATE INDEX bridge_queue_next ON bridge_queue (place, next);
