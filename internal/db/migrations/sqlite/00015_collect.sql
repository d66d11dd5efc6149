-- +goose Up
-- What is read of live tenants: how far each list is, who is at it, and what was
-- never read. Moments are microseconds; 0 is never.
CREATE TABLE collect_tenants (
    tenant  TEXT PRIMARY KEY,
    domain  TEXT NOT NULL,
    name    TEXT NOT NULL,
    partner INTEGER NOT NULL, -- 1: the partner's own
    risk    INTEGER NOT NULL, -- the higher, the sooner
    seen_at INTEGER NOT NULL, -- when it was last among the customers
    gone_at INTEGER NOT NULL, -- when it was there no longer
    last_at INTEGER NOT NULL, -- the end of the last round
    accounts INTEGER NOT NULL, -- as many as were read
    words   TEXT NOT NULL -- what kept the last round from its end
) STRICT, WITHOUT ROWID;
CREATE TABLE collect_cursors (
    tenant       TEXT NOT NULL,
    resource     TEXT NOT NULL,
    run          TEXT NOT NULL, -- under way; '' is none
    began_at     INTEGER NOT NULL,
    position     TEXT NOT NULL,
    pages        INTEGER NOT NULL,
    span_from    INTEGER NOT NULL, -- of the run, where it reads a log
    span_to      INTEGER NOT NULL,
    flaw         TEXT NOT NULL, -- why the run will not be whole
    covered_at   INTEGER NOT NULL, -- of a log: all before it was read
    delta        TEXT NOT NULL,
    base         TEXT NOT NULL, -- the run that the delta goes on from
    due_at       INTEGER NOT NULL,
    whole_at     INTEGER NOT NULL, -- the end of the last whole run
    whole_run    TEXT NOT NULL,
    whole_pages  INTEGER NOT NULL,
    tried_at     INTEGER NOT NULL,
    tries        INTEGER NOT NULL, -- failures one after the other
    words        TEXT NOT NULL, -- of the last failure
    refused      TEXT NOT NULL, -- why it is refused; '' is not
    needs        TEXT NOT NULL,
    refused_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant, resource)
) STRICT, WITHOUT ROWID;
-- Who reads a tenant. No clock is asked: beats grows while the owner lives, and
-- whoever sees the same number for long enough takes its place.
CREATE TABLE collect_leases (
    tenant TEXT PRIMARY KEY,
    owner  TEXT NOT NULL,
    turn   INTEGER NOT NULL, -- grows with each owner
    beats  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE collect_gaps (
    tenant    TEXT NOT NULL,
    resource  TEXT NOT NULL,
    item      TEXT NOT NULL,
    from_at   INTEGER NOT NULL,
    to_at     INTEGER NOT NULL, -- 0: the list as a whole
    since_at  INTEGER NOT NULL,
    closed_at INTEGER NOT NULL, -- when it was read after all
    lost      INTEGER NOT NULL, -- 1: it can no longer be had
    reason    TEXT NOT NULL,
    why       TEXT NOT NULL,
    can       TEXT NOT NULL,
    needs     TEXT NOT NULL,
    request   TEXT NOT NULL,
    run       TEXT NOT NULL, -- that noticed it last
    tried_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, resource, item, from_at, to_at, since_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX collect_gaps_open ON collect_gaps (tenant, closed_at);
