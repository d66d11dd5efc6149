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
CREATE TABLE alert_calendar (
    uid      TEXT PRIMARY KEY,
    digest   TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    changed  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE alert_causes (
    key    TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    body   TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;
CREATE TABLE alert_cursors (
    tenant TEXT PRIMARY KEY,
    round  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE alert_events (
    alert TEXT NOT NULL,
    n     INTEGER NOT NULL, -- from 1
    at    INTEGER NOT NULL,
    what  TEXT NOT NULL,
    actor TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (alert, n)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE alert_queue (
    channel TEXT NOT NULL,
    alert   TEXT NOT NULL,
    what    TEXT NOT NULL,
    since   INTEGER NOT NULL,
    due     INTEGER NOT NULL,
    digest  INTEGER NOT NULL, -- 1: of a digest
    PRIMARY KEY (channel, alert)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE approvals (
    id         TEXT PRIMARY KEY,
    caller     TEXT NOT NULL,
    subject    TEXT NOT NULL, -- a certificate's key, a token's subject
    connection TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    resource   TEXT NOT NULL,
    state      TEXT NOT NULL, -- pending, approved, withdrawn
    asked_at   INTEGER NOT NULL, -- microseconds
    actor      TEXT NOT NULL, -- who asked
    decided_at INTEGER NOT NULL, -- 0 while pending
    decided_by TEXT NOT NULL,
    until_at   INTEGER NOT NULL, -- the end of an approval
    mark       BLOB NOT NULL DEFAULT x'',
    UNIQUE (caller, subject, connection, tenant, resource)
) STRICT;
CREATE TABLE archive_pending (
    name   TEXT PRIMARY KEY,
    object TEXT NOT NULL,
    at     INTEGER NOT NULL,
    size   INTEGER NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE archive_segments (
    name    TEXT PRIMARY KEY,
    tenant  TEXT NOT NULL,
    object  TEXT NOT NULL,    -- its key in the archive's place
    seq     INTEGER NOT NULL, -- the entry of the trail
    made    INTEGER NOT NULL, -- microseconds, as all moments here
    size    INTEGER NOT NULL, -- bytes of the object
    sha256  TEXT NOT NULL,    -- of the object
    root    TEXT NOT NULL,    -- of the Merkle tree of its entries
    entries INTEGER NOT NULL,
    pages   INTEGER NOT NULL,
    bytes   INTEGER NOT NULL, -- of the pages, not compressed
    first   INTEGER NOT NULL, -- when its pages were answered
    last    INTEGER NOT NULL,
    parts   TEXT NOT NULL,    -- JSON: what it has of which run
    removed INTEGER NOT NULL, -- when policy took the object away; 0 for not
    policy  TEXT NOT NULL
) STRICT;
CREATE TABLE attestations (
    id     TEXT PRIMARY KEY,
    tenant TEXT NOT NULL, -- whose requirement; empty is every tenant's
    body   TEXT NOT NULL, -- the statement, JSON
    actor  TEXT NOT NULL,
    kept   INTEGER NOT NULL,
    mark   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
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
CREATE TABLE budget_items (
    plan       TEXT NOT NULL,
    customer   TEXT NOT NULL,    -- its tenant
    what       TEXT NOT NULL,    -- spendingBudget, or a subscription
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'found', 'kept', 'refused', 'failed', 'restoring', 'restored', 'left', 'dropped')),
    wish       TEXT NOT NULL,    -- JSON: what the plan wants
    body       TEXT NOT NULL,    -- JSON: how far it came, and what was there before
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    next       INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder     TEXT NOT NULL,    -- the process that does it now
    held_until INTEGER NOT NULL,
    PRIMARY KEY (plan, customer, what)
) STRICT, WITHOUT ROWID;
CREATE TABLE budget_runs (
    id         TEXT PRIMARY KEY,
    body       TEXT NOT NULL,    -- JSON: the plan as it was applied, without its customers
    state      TEXT NOT NULL CHECK (state IN ('running', 'over', 'back')),
    applied    INTEGER NOT NULL, -- microseconds, as are all times here
    actor      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE budget_steps (
    plan       TEXT NOT NULL,
    customer   TEXT NOT NULL,
    what       TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- counts from 1
    act        TEXT NOT NULL,
    asked      INTEGER NOT NULL,
    answered   INTEGER NOT NULL, -- 0: no answer is known
    result     TEXT NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (plan, customer, what, seq)
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
CREATE TABLE collect_leases (
    tenant TEXT PRIMARY KEY,
    owner  TEXT NOT NULL,
    turn   INTEGER NOT NULL, -- grows with each owner
    beats  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
CREATE TABLE connections (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE, -- lower case
    tenant      TEXT NOT NULL,        -- lower case, as the two below
    client_id   TEXT NOT NULL,
    account     TEXT NOT NULL,        -- object id, or the user principal name without one
    state       TEXT NOT NULL,
    generation  INTEGER NOT NULL,     -- of the newest refresh token; the fence of every change
    previous    INTEGER NOT NULL,     -- generation kept until the newest was used with success; 0: none
    renew_after INTEGER NOT NULL,
    lease_by    TEXT NOT NULL,        -- who renews it now; '' nobody
    lease_until INTEGER NOT NULL,
    changes     INTEGER NOT NULL,
    body        TEXT NOT NULL, mark BLOB NOT NULL DEFAULT x'',
    UNIQUE (tenant, client_id, account)
) STRICT;
CREATE TABLE consent_intents (
    connection TEXT NOT NULL,
    customer   TEXT NOT NULL, -- tenant id, lower case
    app        TEXT NOT NULL,
    grants     TEXT NOT NULL, -- JSON: what was to be granted
    since      INTEGER NOT NULL, mark BLOB NOT NULL DEFAULT x'', -- microseconds
    PRIMARY KEY (connection, customer)
) STRICT, WITHOUT ROWID;
CREATE TABLE console_links (
    id    TEXT PRIMARY KEY,
    hash  TEXT NOT NULL,
    actor TEXT NOT NULL,
    made  INTEGER NOT NULL,
    ends  INTEGER NOT NULL,
    mark  BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE console_roles (
    id        TEXT PRIMARY KEY,
    tenant    TEXT NOT NULL,
    kind      TEXT NOT NULL,    -- user, group
    subject   TEXT NOT NULL,    -- object id
    name      TEXT NOT NULL,    -- for people
    role      TEXT NOT NULL,
    customers TEXT NOT NULL,    -- JSON; null is all
    made      INTEGER NOT NULL,
    actor     TEXT NOT NULL,    -- who gave it
    mark      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE console_sessions (
    id        TEXT PRIMARY KEY,
    hash      TEXT NOT NULL,    -- SHA-256 of the secret in the cookie, hex
    way       TEXT NOT NULL,    -- link, entra
    actor     TEXT NOT NULL,
    subject   TEXT NOT NULL,    -- object id; '' with a link
    name      TEXT NOT NULL,
    tenant    TEXT NOT NULL,    -- whose people came in; '' with a link
    role      TEXT NOT NULL,    -- as of entry
    customers TEXT NOT NULL,    -- as of entry, JSON; null is all
    held      TEXT NOT NULL,    -- directory roles and groups of the id token, JSON
    made      INTEGER NOT NULL, -- microseconds, as are all times here
    seen      INTEGER NOT NULL, -- written at most once a minute
    idles     INTEGER NOT NULL, -- ends here unless it is used
    ends      INTEGER NOT NULL, -- ends here whatever happens
    proof     TEXT NOT NULL,    -- what MFA was proven by
    proven    INTEGER NOT NULL, -- when; 0: not told
    address   TEXT NOT NULL,
    client    TEXT NOT NULL,
    version   INTEGER NOT NULL,
    mark      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE console_tokens (
    id        TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    hash      TEXT NOT NULL,
    rights    TEXT NOT NULL,    -- JSON
    customers TEXT NOT NULL,    -- JSON; null is all
    made      INTEGER NOT NULL,
    ends      INTEGER NOT NULL,
    actor     TEXT NOT NULL,    -- who made it
    used      INTEGER NOT NULL, -- written at most once a minute; not marked
    mark      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE contain_acts (
    run        TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- of the step
    n          INTEGER NOT NULL, -- counts from 1
    what       TEXT NOT NULL,
    asked      INTEGER NOT NULL,
    answered   INTEGER NOT NULL, -- 0: no answer is known
    result     TEXT NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (run, seq, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE contain_approvals (
    run        TEXT PRIMARY KEY,
    hash       TEXT NOT NULL,    -- of the plan and its steps
    actor      TEXT NOT NULL,
    approved   INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE contain_plans (
    id         TEXT PRIMARY KEY,
    body       TEXT NOT NULL,    -- JSON: the whole plan
    made       INTEGER NOT NULL, -- microseconds, as are all times here
    actor      TEXT NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE contain_runs (
    id           TEXT PRIMARY KEY,
    subscription TEXT NOT NULL,    -- of Azure, in lower case
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'stopped', 'restoring', 'over')),
    body         TEXT NOT NULL,    -- JSON: the plan without its steps, and what became of it
    version      INTEGER NOT NULL,
    mark         BLOB NOT NULL,
    applied      INTEGER NOT NULL,
    next         INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder       TEXT NOT NULL,    -- the process that does it now
    held_until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE contain_steps (
    run        TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- counts from 1, in order
    state      TEXT NOT NULL CHECK (state IN ('ready', 'going', 'done', 'found', 'failed', 'left', 'undoing', 'undone', 'stays', 'not-taken')),
    step       TEXT NOT NULL,    -- JSON: as the plan has it
    body       TEXT NOT NULL,    -- JSON: how far it came
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE delegation_moves (
    plan       TEXT NOT NULL,
    customer   TEXT NOT NULL,    -- its tenant
    stage      INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'checking', 'creating', 'locking', 'inviting', 'assigning', 'probing', 'easing', 'proving',
        'ending', 'removing', 'done', 'held', 'cancelling', 'cancelled', 'restoring', 'retracting', 'rolled-back')),
    wish       TEXT NOT NULL,    -- JSON: what the plan wants of this customer
    body       TEXT NOT NULL,    -- JSON: how far it came
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    next       INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder     TEXT NOT NULL,    -- the process that does it now
    held_until INTEGER NOT NULL,
    PRIMARY KEY (plan, customer)
) STRICT, WITHOUT ROWID;
CREATE TABLE delegation_pins (
    id         TEXT PRIMARY KEY,
    role       TEXT NOT NULL,    -- template id
    grp        TEXT NOT NULL,    -- a security group of the partner; '' all
    customer   TEXT NOT NULL,    -- '' all
    reason     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    made       INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE delegation_runs (
    id         TEXT PRIMARY KEY,
    body       TEXT NOT NULL,    -- JSON: the plan as it was applied, without its customers
    state      TEXT NOT NULL CHECK (state IN ('running', 'stopped', 'over')),
    why        TEXT NOT NULL,    -- it is stopped
    stage      INTEGER NOT NULL, -- the last that has begun
    until      INTEGER NOT NULL, -- the last that may begin by itself
    applied    INTEGER NOT NULL, -- microseconds, as are all times here
    actor      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE delegation_steps (
    plan       TEXT NOT NULL,
    customer   TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- counts from 1
    state      TEXT NOT NULL,
    act        TEXT NOT NULL,
    asked      INTEGER NOT NULL,
    answered   INTEGER NOT NULL, -- 0: no answer is known
    result     TEXT NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (plan, customer, seq)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE fraud_alerts (
    id         TEXT PRIMARY KEY, -- ours
    graph_id   TEXT NOT NULL,    -- '' it is not known there
    event_id   TEXT NOT NULL,
    body       TEXT NOT NULL,    -- JSON: all that is known of it
    settled    INTEGER NOT NULL, -- since when it stands as it does; microseconds, as are all times here
    seen       INTEGER NOT NULL, -- first read here
    aged       INTEGER NOT NULL, -- 1: it was old when this installation first read
    gone       INTEGER NOT NULL, -- since when Microsoft lists it no more; 0: it does
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE fraud_answers (
    alert      TEXT PRIMARY KEY,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'asked', 'sent', 'other', 'failed')),
    body       TEXT NOT NULL,    -- JSON: the reason, and the alert that it was given for
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    next       INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder     TEXT NOT NULL,    -- the process that does it now
    held_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE fraud_cases (
    alert      TEXT PRIMARY KEY,
    body       TEXT NOT NULL,    -- JSON: who has it, since when, notes
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE fraud_pulls (
    source     TEXT PRIMARY KEY, -- graph, partnerCenter, or desk: whichever answered
    first      INTEGER NOT NULL, -- the first that came about
    good       INTEGER NOT NULL, -- the last that came about; 0 none
    tried      INTEGER NOT NULL,
    count      INTEGER NOT NULL, -- alerts that it told
    why        TEXT NOT NULL,    -- the last one did not come about; '' it did
    fix        TEXT NOT NULL,
    mark       BLOB NOT NULL  -- of the source and the first
) STRICT, WITHOUT ROWID;
CREATE TABLE fraud_ring_counts (
    what       TEXT PRIMARY KEY, -- rung, ignored, test, or why it was refused
    n          INTEGER NOT NULL,
    last       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE fraud_rings (
    hash       TEXT PRIMARY KEY, -- SHA-256 of the signature
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE gateway_decisions (
    hour       INTEGER NOT NULL, -- hours since 1970
    route      TEXT NOT NULL,    -- '': none
    reason     TEXT NOT NULL,
    mode       TEXT NOT NULL,
    refused    INTEGER NOT NULL, -- 1: it was answered with no
    kind       TEXT NOT NULL,    -- user, app, unknown, others
    tenant     TEXT NOT NULL,
    caller     TEXT NOT NULL,    -- an object id, an app id, a network
    client     TEXT NOT NULL,    -- an app id
    agent      TEXT NOT NULL,    -- a class of programs
    way        TEXT NOT NULL,    -- bearer, session, none
    excused    TEXT NOT NULL,    -- the exception's name
    account    TEXT NOT NULL,    -- for people
    n          INTEGER NOT NULL,
    first_at   INTEGER NOT NULL, -- microseconds
    last_at    INTEGER NOT NULL,
    told       INTEGER NOT NULL, -- so many of n are in the trail
    PRIMARY KEY (hour, route, reason, mode, refused, kind, tenant, caller, client, agent, way, excused)
) STRICT, WITHOUT ROWID;
CREATE TABLE gateway_revocations (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,    -- user, session, app, token
    value      TEXT NOT NULL,
    tenant     TEXT NOT NULL,    -- '': of any
    before_at  INTEGER NOT NULL, -- microseconds: sign-ins up to then; 0: all
    until_at   INTEGER NOT NULL, -- microseconds; 0: without an end
    who        TEXT NOT NULL,
    why        TEXT NOT NULL,
    made       INTEGER NOT NULL,
    ended      INTEGER NOT NULL, -- 0: it was not taken back
    ended_by   TEXT NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE invitations (
    id         TEXT PRIMARY KEY, -- "i-…", for people
    hash       TEXT NOT NULL UNIQUE, -- SHA-256 of the link's secret, hex
    tenant     TEXT NOT NULL, -- that may answer: its id
    client_id  TEXT NOT NULL,
    name       TEXT NOT NULL, -- of the connection; '' is the domain
    features   TEXT NOT NULL, -- JSON list
    made_by    TEXT NOT NULL,
    made_at    INTEGER NOT NULL, -- microseconds
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL, -- 0 while it waits
    connection TEXT NOT NULL -- id, once used
, mark BLOB NOT NULL DEFAULT x'') STRICT;
CREATE TABLE mfa_acts (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL, -- what is asked for: reset, pass
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- asked, approved, used, withdrawn
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_challenges (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL, -- SHA-256 of the browser's cookie, hex
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- waits, done
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_counts (
    day    TEXT NOT NULL,
    what   TEXT NOT NULL,
    tenant TEXT NOT NULL,
    n      INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (day, what, tenant)
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_factors (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL UNIQUE, -- credential id of a security key, base64url; else the id
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- active
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_hints (
    id    TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_invitations (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL UNIQUE, -- SHA-256 of the link's secret, hex
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- waits, used, withdrawn
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_keys (
    id          TEXT PRIMARY KEY, -- the kid
    state       TEXT NOT NULL CHECK (state IN ('signing', 'next', 'spare', 'old', 'withdrawn')),
    certificate TEXT NOT NULL,    -- DER in base64
    made        INTEGER NOT NULL, -- microseconds, as are all times here
    signs       INTEGER NOT NULL,
    ended       INTEGER NOT NULL,
    withdrawn   INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    mark        BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_notes (
    id     TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    source TEXT NOT NULL, -- the network that it came from
    words  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_people (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL UNIQUE, -- tenant/object, both ids
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- active, blocked
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_sessions (
    id      TEXT PRIMARY KEY,
    look    TEXT NOT NULL UNIQUE, -- SHA-256 of the browser's cookie, hex
    person  TEXT NOT NULL, -- id of mfa_people; '' where nobody is known
    state   TEXT NOT NULL, -- enrol, own
    ends    INTEGER NOT NULL, -- 0: it has no end
    body    TEXT NOT NULL,
    version INTEGER NOT NULL,
    mark    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_tenants (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    cloud         TEXT NOT NULL,
    app           TEXT NOT NULL, -- app id in Entra ID
    client        TEXT NOT NULL, -- client id of the method's configuration
    configuration TEXT NOT NULL, -- its id, or empty
    added         INTEGER NOT NULL,
    added_by      TEXT NOT NULL,
    ended         INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    mark          BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mfa_tries (
    id      TEXT PRIMARY KEY,
    person  TEXT NOT NULL,
    last    INTEGER NOT NULL,
    until   INTEGER NOT NULL, -- no answer is looked at before; 0: any
    body    TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
CREATE TABLE notify_deliveries (
    message TEXT NOT NULL,
    channel TEXT NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    tries   INTEGER NOT NULL,
    due     INTEGER NOT NULL, -- the next attempt is not before
    changed INTEGER NOT NULL,
    PRIMARY KEY (message, channel)
) STRICT, WITHOUT ROWID;
CREATE TABLE notify_messages (
    id     TEXT PRIMARY KEY,
    at     INTEGER NOT NULL, -- microseconds, as are all times here
    test   INTEGER NOT NULL, -- 1: nothing has happened
    thread TEXT NOT NULL,    -- the alert's id, else empty
    title  TEXT NOT NULL,
    body   TEXT NOT NULL     -- the message, JSON
) STRICT, WITHOUT ROWID;
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
CREATE TABLE posture_rollups (
    tenant  TEXT NOT NULL,
    day     TEXT NOT NULL,
    entries INTEGER NOT NULL,
    rows_in INTEGER NOT NULL,
    unasked INTEGER NOT NULL, -- not challenged
    body    BLOB NOT NULL,    -- zstd
    PRIMARY KEY (tenant, day)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE registrations (
    client_id TEXT PRIMARY KEY, -- lower case
    sealed    TEXT NOT NULL,    -- name of the vault row; '' none is needed
    waiting   TEXT NOT NULL,    -- JSON of a certificate made and not yet in use; '' none
    body      TEXT NOT NULL
, mark BLOB NOT NULL DEFAULT x'') STRICT;
CREATE TABLE remedy_acts (
    run        TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- of the step
    n          INTEGER NOT NULL, -- counts from 1
    what       TEXT NOT NULL,
    asked      INTEGER NOT NULL,
    answered   INTEGER NOT NULL, -- 0: no answer is known
    result     TEXT NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (run, seq, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE remedy_approvals (
    run        TEXT PRIMARY KEY,
    plan       TEXT NOT NULL,    -- its SHA-256
    actor      TEXT NOT NULL,
    approved   INTEGER NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE remedy_plans (
    id         TEXT PRIMARY KEY, -- SHA-256 of what a signature covers
    body       TEXT NOT NULL,    -- the file
    made       INTEGER NOT NULL, -- when it was taken over; microseconds, as are all times here
    actor      TEXT NOT NULL,
    mark       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE remedy_runs (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,    -- in lower case
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'watching', 'holding', 'stopped', 'undoing', 'undone', 'ended')),
    body       TEXT NOT NULL,    -- JSON: its plan, how far it came, and what was found out
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    applied    INTEGER NOT NULL,
    next       INTEGER NOT NULL, -- looked at again then; 0: not by itself
    holder     TEXT NOT NULL,    -- the process that does it now
    held_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE remedy_steps (
    run        TEXT NOT NULL,
    seq        INTEGER NOT NULL, -- counts from 1, in order
    state      TEXT NOT NULL
        CHECK (state IN ('ready', 'going', 'asked', 'done', 'found', 'failed', 'left', 'undoing', 'undone', 'stays', 'not-taken')),
    step       TEXT NOT NULL,    -- JSON: what it does in its stage
    body       TEXT NOT NULL,    -- JSON: how far it came, and the object as it was
    version    INTEGER NOT NULL,
    mark       BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE snapshot_parts (
    tenant  TEXT NOT NULL,
    part    TEXT NOT NULL,
    as_of   INTEGER NOT NULL, -- microseconds
    made    INTEGER NOT NULL,
    segment TEXT NOT NULL,    -- newest of the archive; '' is none
    version TEXT NOT NULL,    -- of the content
    size    INTEGER NOT NULL, -- bytes, opened
    body    BLOB NOT NULL,    -- JSON, zstd
    PRIMARY KEY (part, tenant)
) STRICT;
CREATE TABLE told (
    key TEXT PRIMARY KEY,
    at  INTEGER NOT NULL -- when, microseconds
) STRICT;
CREATE TABLE trail_anchors (
    anchor  TEXT PRIMARY KEY,
    size    INTEGER NOT NULL, -- of the newest checkpoint it took, 0 for none
    at      INTEGER NOT NULL, -- when, microseconds
    tried   INTEGER NOT NULL, -- when it was last tried
    failing INTEGER NOT NULL, -- since when it cannot be reached or refuses, 0 for not
    reason  TEXT NOT NULL
) STRICT;
CREATE TABLE trail_chain (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    anchor TEXT NOT NULL, -- what the first entry follows
    seq    INTEGER NOT NULL, -- entries up to here begin with the chain's hash, later ones with their leaf's
    hash   TEXT NOT NULL
) STRICT;
CREATE TABLE trail_head (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    id    TEXT NOT NULL,   -- 32 random bytes in hex: which trail it is
    size  INTEGER NOT NULL,   -- number of the newest entry, 0 before the first
    nodes BLOB NOT NULL    -- roots of the perfect subtrees of the tree, widest first, 32 bytes each
) STRICT;
CREATE TABLE trail_pages (
    first    INTEGER PRIMARY KEY, -- number of its first entry; entries count from 1
    last     INTEGER NOT NULL,
    earliest INTEGER NOT NULL,    -- times of its entries, microseconds
    latest   INTEGER NOT NULL,
    entries  TEXT NOT NULL
) STRICT;
CREATE TABLE trail_proofs (
    anchor TEXT NOT NULL,
    size   INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    note   TEXT NOT NULL,
    proof  BLOB NOT NULL,
    PRIMARY KEY (anchor, size)
) STRICT;
CREATE TABLE trail_tiles (
    level  INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    root   BLOB NOT NULL, -- of the tile: one hash of the level above
    hashes BLOB NOT NULL, -- 256 times 32 bytes
    PRIMARY KEY (level, n)
) STRICT;
CREATE TABLE vault_keyset (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    vault         TEXT    NOT NULL,
    generation    INTEGER NOT NULL, -- counts changes of the keys inside, not of the master
    master_kind   TEXT    NOT NULL,
    master_id     TEXT    NOT NULL,
    master_params TEXT    NOT NULL, -- JSON, by kind
    wrapped       BLOB    NOT NULL, -- the data key, wrapped by the master key
    keyset        BLOB    NOT NULL, -- the keyset, sealed by the data key
    created       INTEGER NOT NULL,
    changed       INTEGER NOT NULL
) STRICT;
CREATE TABLE vault_rows (
    purpose TEXT    NOT NULL,
    owner   TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    sealed  BLOB    NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (purpose, owner, name)
) STRICT;
CREATE INDEX alerts_changed ON alerts (state, changed);
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE state = 'open';
CREATE INDEX archive_segments_seq ON archive_segments (seq);
CREATE INDEX archive_segments_tenant ON archive_segments (tenant, seq);
CREATE UNIQUE INDEX bridge_devices_selector ON bridge_devices (selector);
CREATE INDEX bridge_queue_next ON bridge_queue (place, next);
CREATE INDEX budget_items_next ON budget_items (next);
CREATE INDEX collect_gaps_open ON collect_gaps (tenant, closed_at);
CREATE INDEX connections_due ON connections (renew_after);
CREATE INDEX console_links_hash ON console_links (hash);
CREATE INDEX console_tokens_hash ON console_tokens (hash);
CREATE INDEX contain_runs_next ON contain_runs (next);
CREATE INDEX contain_runs_subscription ON contain_runs (subscription);
CREATE INDEX delegation_moves_next ON delegation_moves (next);
CREATE INDEX fraud_answers_next ON fraud_answers (next);
CREATE INDEX mfa_acts_person ON mfa_acts (person);
CREATE INDEX mfa_challenges_ends ON mfa_challenges (ends);
CREATE INDEX mfa_factors_person ON mfa_factors (person);
CREATE INDEX mfa_hints_until ON mfa_hints (until);
CREATE UNIQUE INDEX mfa_keys_one ON mfa_keys (state) WHERE state IN ('signing', 'next', 'spare');
CREATE INDEX mfa_notes_person ON mfa_notes (person);
CREATE INDEX notify_attempts_last ON notify_attempts (channel, began);
CREATE INDEX notify_deliveries_due ON notify_deliveries (state, due);
CREATE INDEX notify_messages_at ON notify_messages (at);
CREATE INDEX posture_facts_now ON posture_facts (tenant, till);
CREATE INDEX remedy_runs_next ON remedy_runs (next);
CREATE INDEX remedy_runs_tenant ON remedy_runs (tenant);
