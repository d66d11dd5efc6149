-- +goose Up
-- What is read of live tenants: how far each list is, who is at it, and what was
-- never read. Moments are microseconds; 0 is never.
CREATE TABLE collect_tenants (
    tenant  text PRIMARY KEY,
    domain  text NOT NULL,
    name    text NOT NULL,
    partner bigint NOT NULL, -- 1: the partner's own
    risk    bigint NOT NULL, -- the higher, the sooner
    seen_at bigint NOT NULL, -- when it was last among the customers
    gone_at bigint NOT NULL, -- when it was there no longer
    last_at bigint NOT NULL, -- the end of the last round
    accounts bigint NOT NULL, -- as many as were read
    words   text NOT NULL -- what kept the last round from its end
);
CREATE TABLE collect_cursors (
    tenant       text NOT NULL,
    resource     text NOT NULL,
    run          text NOT NULL, -- under way; '' is none
    began_at     bigint NOT NULL,
    position     text NOT NULL,
    pages        bigint NOT NULL,
    span_from    bigint NOT NULL, -- of the run, where it reads a log
    span_to      bigint NOT NULL,
    flaw         text NOT NULL, -- why the run will not be whole
    covered_at   bigint NOT NULL, -- of a log: all before it was read
    delta        text NOT NULL,
    base         text NOT NULL, -- the run that the delta goes on from
    due_at       bigint NOT NULL,
    whole_at     bigint NOT NULL, -- the end of the last whole run
    whole_run    text NOT NULL,
    whole_pages  bigint NOT NULL,
    tried_at     bigint NOT NULL,
    tries        bigint NOT NULL, -- failures one after the other
    words        text NOT NULL, -- of the last failure
    refused      text NOT NULL, -- why it is refused; '' is not
    needs        text NOT NULL,
    refused_at   bigint NOT NULL,
    PRIMARY KEY (tenant, resource)
);
-- Who reads a tenant. No clock is asked: beats grows while the owner lives, and
-- whoever sees the same number for long enough takes its place.
CREATE TABLE collect_leases (
    tenant text PRIMARY KEY,
    owner  text NOT NULL,
    turn   bigint NOT NULL, -- grows with each owner
    beats  bigint NOT NULL
);
CREATE TABLE collect_gaps (
    tenant    text NOT NULL,
    resource  text NOT NULL,
    item      text NOT NULL,
    from_at   bigint NOT NULL,
    to_at     bigint NOT NULL, -- 0: the list as a whole
    since_at  bigint NOT NULL,
    closed_at bigint NOT NULL, -- when it was read after all
    lost      bigint NOT NULL, -- 1: it can no longer be had
    reason    text NOT NULL,
    why       text NOT NULL,
    can       text NOT NULL,
    needs     text NOT NULL,
    request   text NOT NULL,
    run       text NOT NULL, -- that noticed it last
    tried_at  bigint NOT NULL,
    PRIMARY KEY (tenant, resource, item, from_at, to_at, since_at)
);
CREATE INDEX collect_gaps_open ON collect_gaps (tenant, closed_at);
