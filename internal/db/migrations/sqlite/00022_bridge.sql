-- +goose Up
-- Devices that come in at the mail bridge by a password of their own. Every row is
-- marked: a MAC of the vault over all of it but what is said not to be.
CREATE TABLE bridge_devices (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    mailbox    TEXT NOT NULL,    -- the one it opens
    protocols  TEXT NOT NULL,    -- JSON: smtp, imap, pop3
    sources    TEXT NOT NULL,    -- JSON: networks it comes from; none is anywhere
    senders    TEXT NOT NULL,    -- JSON: addresses it may write as beside the mailbox's
    selector   TEXT NOT NULL,    -- the part of the password that picks the row; no secret
    hash       TEXT NOT NULL,    -- argon2id
    made       INTEGER NOT NULL, -- microseconds, as are all times here
    ends       INTEGER NOT NULL,
    actor      TEXT NOT NULL,    -- who made it
    revoked    INTEGER NOT NULL, -- 0: it is not
    revoker    TEXT NOT NULL,
    used       INTEGER NOT NULL, -- written at most once a minute; this and the next two are not marked
    used_from  TEXT NOT NULL,
    used_by    TEXT NOT NULL,    -- the protocol
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX bridge_devices_selector ON bridge_devices (selector);
-- Messages that were taken and are not sent yet. The message lies in a file of the
-- machine that took it, sealed under a key of its own, which the vault has. Marked.
CREATE TABLE bridge_queue (
    id         TEXT PRIMARY KEY,
    place      TEXT NOT NULL,    -- whose folder has the file
    device     TEXT NOT NULL,
    mailbox    TEXT NOT NULL,    -- who sends it upstream
    sender     TEXT NOT NULL,    -- of the envelope
    recipients TEXT NOT NULL,    -- JSON: each with its state
    message_id TEXT NOT NULL,
    size       INTEGER NOT NULL, -- bytes
    made       INTEGER NOT NULL,
    next       INTEGER NOT NULL, -- tried again then
    tries      INTEGER NOT NULL,
    state      TEXT NOT NULL,    -- waiting, ending: its end was sent and no answer is known
    bounce     INTEGER NOT NULL, -- 1: it is a notice of ours, and nothing is told of its failure but the trail
    doubts     INTEGER NOT NULL, -- how often the end of it was lost
    reason     TEXT NOT NULL,    -- why it waits
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX bridge_queue_next ON bridge_queue (place, next);
