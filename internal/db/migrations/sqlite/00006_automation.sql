-- +goose Up
-- Scripts and services that sign in with user credentials, one row for each
-- account, app and protocol. body is what the log says of it, as JSON.
CREATE TABLE automation_items (
    id       TEXT PRIMARY KEY,
    body     TEXT NOT NULL,
    owner    TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('found', 'planned', 'moved', 'verified-gone')),
    note     TEXT NOT NULL,
    story    TEXT NOT NULL,
    moved_at INTEGER NOT NULL, -- microseconds; 0 is never
    quiet_to INTEGER NOT NULL,
    updated  INTEGER NOT NULL,
    version  INTEGER NOT NULL -- grows with each change, against lost updates
) STRICT, WITHOUT ROWID;
