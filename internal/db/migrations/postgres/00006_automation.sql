-- +goose Up
-- Scripts and services that sign in with user credentials, one row for each
-- account, app and protocol. body is what the log says of it, as JSON.
CREATE TABLE automation_items (
    id       text PRIMARY KEY,
    body     text NOT NULL,
    owner    text NOT NULL,
    state    text NOT NULL CHECK (state IN ('found', 'planned', 'moved', 'verified-gone')),
    note     text NOT NULL,
    story    text NOT NULL,
    moved_at bigint NOT NULL, -- microseconds; 0 is never
    quiet_to bigint NOT NULL,
    updated  bigint NOT NULL,
    version  bigint NOT NULL -- grows with each change, against lost updates
);
