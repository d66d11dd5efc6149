alert_acts.alert text NOT NULL
alert_acts.acked bigint NOT NULL
alert_acts.acker text NOT NULL
alert_acts.until bigint NOT NULL
alert_acts.snoozer text NOT NULL
alert_acts.why text NOT NULL
alert_acts.version bigint NOT NULL
alert_acts.mark bytea NOT NULL
alert_acts alert_acts_pkey PRIMARY KEY (alert)
CREATE UNIQUE INDEX alert_acts_pkey ON public.alert_acts USING btree (alert)
alert_calendar.uid text NOT NULL
alert_calendar.digest text NOT NULL
alert_calendar.sequence bigint NOT NULL
alert_calendar.changed bigint NOT NULL
alert_calendar alert_calendar_pkey PRIMARY KEY (uid)
CREATE UNIQUE INDEX alert_calendar_pkey ON public.alert_calendar USING btree (uid)
alert_causes.key text NOT NULL
alert_causes.tenant text NOT NULL
alert_causes.body text NOT NULL
alert_causes alert_causes_pkey PRIMARY KEY (key)
CREATE UNIQUE INDEX alert_causes_pkey ON public.alert_causes USING btree (key)
alert_cursors.tenant text NOT NULL
alert_cursors.round bigint NOT NULL
alert_cursors alert_cursors_pkey PRIMARY KEY (tenant)
CREATE UNIQUE INDEX alert_cursors_pkey ON public.alert_cursors USING btree (tenant)
alert_events.alert text NOT NULL
alert_events.n bigint NOT NULL
alert_events.at bigint NOT NULL
alert_events.what text NOT NULL
alert_events.actor text NOT NULL
alert_events.words text NOT NULL
alert_events alert_events_pkey PRIMARY KEY (alert, n)
CREATE UNIQUE INDEX alert_events_pkey ON public.alert_events USING btree (alert, n)
alert_feeds.id text NOT NULL
alert_feeds.hash text NOT NULL
alert_feeds.owner text NOT NULL
alert_feeds.name text NOT NULL
alert_feeds.tenants text NOT NULL
alert_feeds.made bigint NOT NULL
alert_feeds.ended bigint NOT NULL
alert_feeds.mark bytea NOT NULL
alert_feeds alert_feeds_hash_key UNIQUE (hash)
alert_feeds alert_feeds_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX alert_feeds_hash_key ON public.alert_feeds USING btree (hash)
CREATE UNIQUE INDEX alert_feeds_pkey ON public.alert_feeds USING btree (id)
alert_queue.channel text NOT NULL
alert_queue.alert text NOT NULL
alert_queue.what text NOT NULL
alert_queue.since bigint NOT NULL
alert_queue.due bigint NOT NULL
alert_queue.digest bigint NOT NULL
alert_queue alert_queue_pkey PRIMARY KEY (channel, alert)
CREATE UNIQUE INDEX alert_queue_pkey ON public.alert_queue USING btree (channel, alert)
alerts.id text NOT NULL
alerts.source text NOT NULL
alerts.key text NOT NULL
alerts.kind text NOT NULL
alerts.severity text NOT NULL
alerts.tenant text NOT NULL
alerts.state text NOT NULL
alerts.opened bigint NOT NULL
alerts.changed bigint NOT NULL
alerts.resolved bigint NOT NULL
alerts.told bigint NOT NULL
alerts.body text NOT NULL
alerts.steps text NOT NULL
alerts alerts_pkey PRIMARY KEY (id)
alerts alerts_state_check CHECK ((state = ANY (ARRAY['open'::text, 'resolved'::text])))
CREATE INDEX alerts_changed ON public.alerts USING btree (state, changed)
CREATE UNIQUE INDEX alerts_open ON public.alerts USING btree (key) WHERE (state = 'open'::text)
CREATE UNIQUE INDEX alerts_pkey ON public.alerts USING btree (id)
approvals.id text NOT NULL
approvals.caller text NOT NULL
approvals.subject text NOT NULL
approvals.connection text NOT NULL
approvals.tenant text NOT NULL
approvals.resource text NOT NULL
approvals.state text NOT NULL
approvals.asked_at bigint NOT NULL
approvals.actor text NOT NULL
approvals.decided_at bigint NOT NULL
approvals.decided_by text NOT NULL
approvals.until_at bigint NOT NULL
approvals.mark bytea NOT NULL DEFAULT '\x'::bytea
approvals approvals_caller_subject_connection_tenant_resource_key UNIQUE (caller, subject, connection, tenant, resource)
approvals approvals_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX approvals_caller_subject_connection_tenant_resource_key ON public.approvals USING btree (caller, subject, connection, tenant, resource)
CREATE UNIQUE INDEX approvals_pkey ON public.approvals USING btree (id)
archive_pending.name text NOT NULL
archive_pending.object text NOT NULL
archive_pending.at bigint NOT NULL
archive_pending.size bigint NOT NULL
archive_pending.sha256 text NOT NULL
archive_pending archive_pending_pkey PRIMARY KEY (name)
CREATE UNIQUE INDEX archive_pending_pkey ON public.archive_pending USING btree (name)
archive_segments.name text NOT NULL
archive_segments.tenant text NOT NULL
archive_segments.object text NOT NULL
archive_segments.seq bigint NOT NULL
archive_segments.made bigint NOT NULL
archive_segments.size bigint NOT NULL
archive_segments.sha256 text NOT NULL
archive_segments.root text NOT NULL
archive_segments.entries bigint NOT NULL
archive_segments.pages bigint NOT NULL
archive_segments.bytes bigint NOT NULL
archive_segments.first bigint NOT NULL
archive_segments.last bigint NOT NULL
archive_segments.parts text NOT NULL
archive_segments.removed bigint NOT NULL
archive_segments.policy text NOT NULL
archive_segments archive_segments_pkey PRIMARY KEY (name)
CREATE UNIQUE INDEX archive_segments_pkey ON public.archive_segments USING btree (name)
CREATE INDEX archive_segments_seq ON public.archive_segments USING btree (seq)
CREATE INDEX archive_segments_tenant ON public.archive_segments USING btree (tenant, seq)
attestations.id text NOT NULL
attestations.tenant text NOT NULL
attestations.body text NOT NULL
attestations.actor text NOT NULL
attestations.kept bigint NOT NULL
attestations.mark bytea NOT NULL
attestations attestations_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX attestations_pkey ON public.attestations USING btree (id)
automation_items.id text NOT NULL
automation_items.body text NOT NULL
automation_items.owner text NOT NULL
automation_items.state text NOT NULL
automation_items.note text NOT NULL
automation_items.story text NOT NULL
automation_items.moved_at bigint NOT NULL
automation_items.quiet_to bigint NOT NULL
automation_items.updated bigint NOT NULL
automation_items.version bigint NOT NULL
automation_items automation_items_pkey PRIMARY KEY (id)
automation_items automation_items_state_check CHECK ((state = ANY (ARRAY['found'::text, 'planned'::text, 'moved'::text, 'verified-gone'::text])))
CREATE UNIQUE INDEX automation_items_pkey ON public.automation_items USING btree (id)
bridge_devices.id text NOT NULL
bridge_devices.name text NOT NULL
bridge_devices.mailbox text NOT NULL
bridge_devices.protocols text NOT NULL
bridge_devices.sources text NOT NULL
bridge_devices.senders text NOT NULL
bridge_devices.selector text NOT NULL
bridge_devices.hash text NOT NULL
bridge_devices.made bigint NOT NULL
bridge_devices.ends bigint NOT NULL
bridge_devices.actor text NOT NULL
bridge_devices.revoked bigint NOT NULL
bridge_devices.revoker text NOT NULL
bridge_devices.used bigint NOT NULL
bridge_devices.used_from text NOT NULL
bridge_devices.used_by text NOT NULL
bridge_devices.mark bytea NOT NULL
bridge_devices bridge_devices_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX bridge_devices_pkey ON public.bridge_devices USING btree (id)
CREATE UNIQUE INDEX bridge_devices_selector ON public.bridge_devices USING btree (selector)
bridge_queue.id text NOT NULL
bridge_queue.place text NOT NULL
bridge_queue.device text NOT NULL
bridge_queue.mailbox text NOT NULL
bridge_queue.sender text NOT NULL
bridge_queue.recipients text NOT NULL
bridge_queue.message_id text NOT NULL
bridge_queue.size bigint NOT NULL
bridge_queue.made bigint NOT NULL
bridge_queue.next bigint NOT NULL
bridge_queue.tries bigint NOT NULL
bridge_queue.state text NOT NULL
bridge_queue.bounce bigint NOT NULL
bridge_queue.doubts bigint NOT NULL
bridge_queue.reason text NOT NULL
bridge_queue.mark bytea NOT NULL
bridge_queue bridge_queue_pkey PRIMARY KEY (id)
CREATE INDEX bridge_queue_next ON public.bridge_queue USING btree (place, next)
CREATE UNIQUE INDEX bridge_queue_pkey ON public.bridge_queue USING btree (id)
budget_items.plan text NOT NULL
budget_items.customer text NOT NULL
budget_items.what text NOT NULL
budget_items.state text NOT NULL
budget_items.wish text NOT NULL
budget_items.body text NOT NULL
budget_items.version bigint NOT NULL
budget_items.mark bytea NOT NULL
budget_items.next bigint NOT NULL
budget_items.holder text NOT NULL
budget_items.held_until bigint NOT NULL
budget_items budget_items_pkey PRIMARY KEY (plan, customer, what)
budget_items budget_items_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'done'::text, 'found'::text, 'kept'::text, 'refused'::text, 'failed'::text, 'restoring'::text, 'restored'::text, 'left'::text, 'dropped'::text])))
CREATE INDEX budget_items_next ON public.budget_items USING btree (next)
CREATE UNIQUE INDEX budget_items_pkey ON public.budget_items USING btree (plan, customer, what)
budget_runs.id text NOT NULL
budget_runs.body text NOT NULL
budget_runs.state text NOT NULL
budget_runs.applied bigint NOT NULL
budget_runs.actor text NOT NULL
budget_runs.version bigint NOT NULL
budget_runs.mark bytea NOT NULL
budget_runs budget_runs_pkey PRIMARY KEY (id)
budget_runs budget_runs_state_check CHECK ((state = ANY (ARRAY['running'::text, 'over'::text, 'back'::text])))
CREATE UNIQUE INDEX budget_runs_pkey ON public.budget_runs USING btree (id)
budget_steps.plan text NOT NULL
budget_steps.customer text NOT NULL
budget_steps.what text NOT NULL
budget_steps.seq bigint NOT NULL
budget_steps.act text NOT NULL
budget_steps.asked bigint NOT NULL
budget_steps.answered bigint NOT NULL
budget_steps.result text NOT NULL
budget_steps.words text NOT NULL
budget_steps budget_steps_pkey PRIMARY KEY (plan, customer, what, seq)
CREATE UNIQUE INDEX budget_steps_pkey ON public.budget_steps USING btree (plan, customer, what, seq)
collect_cursors.tenant text NOT NULL
collect_cursors.resource text NOT NULL
collect_cursors.run text NOT NULL
collect_cursors.began_at bigint NOT NULL
collect_cursors.position text NOT NULL
collect_cursors.pages bigint NOT NULL
collect_cursors.span_from bigint NOT NULL
collect_cursors.span_to bigint NOT NULL
collect_cursors.flaw text NOT NULL
collect_cursors.covered_at bigint NOT NULL
collect_cursors.delta text NOT NULL
collect_cursors.base text NOT NULL
collect_cursors.due_at bigint NOT NULL
collect_cursors.whole_at bigint NOT NULL
collect_cursors.whole_run text NOT NULL
collect_cursors.whole_pages bigint NOT NULL
collect_cursors.tried_at bigint NOT NULL
collect_cursors.tries bigint NOT NULL
collect_cursors.words text NOT NULL
collect_cursors.refused text NOT NULL
collect_cursors.needs text NOT NULL
collect_cursors.refused_at bigint NOT NULL
collect_cursors collect_cursors_pkey PRIMARY KEY (tenant, resource)
CREATE UNIQUE INDEX collect_cursors_pkey ON public.collect_cursors USING btree (tenant, resource)
collect_gaps.tenant text NOT NULL
collect_gaps.resource text NOT NULL
collect_gaps.item text NOT NULL
collect_gaps.from_at bigint NOT NULL
collect_gaps.to_at bigint NOT NULL
collect_gaps.since_at bigint NOT NULL
collect_gaps.closed_at bigint NOT NULL
collect_gaps.lost bigint NOT NULL
collect_gaps.reason text NOT NULL
collect_gaps.why text NOT NULL
collect_gaps.can text NOT NULL
collect_gaps.needs text NOT NULL
collect_gaps.request text NOT NULL
collect_gaps.run text NOT NULL
collect_gaps.tried_at bigint NOT NULL
collect_gaps collect_gaps_pkey PRIMARY KEY (tenant, resource, item, from_at, to_at, since_at)
CREATE INDEX collect_gaps_open ON public.collect_gaps USING btree (tenant, closed_at)
CREATE UNIQUE INDEX collect_gaps_pkey ON public.collect_gaps USING btree (tenant, resource, item, from_at, to_at, since_at)
collect_leases.tenant text NOT NULL
collect_leases.owner text NOT NULL
collect_leases.turn bigint NOT NULL
collect_leases.beats bigint NOT NULL
collect_leases collect_leases_pkey PRIMARY KEY (tenant)
CREATE UNIQUE INDEX collect_leases_pkey ON public.collect_leases USING btree (tenant)
collect_tenants.tenant text NOT NULL
collect_tenants.domain text NOT NULL
collect_tenants.name text NOT NULL
collect_tenants.partner bigint NOT NULL
collect_tenants.risk bigint NOT NULL
collect_tenants.seen_at bigint NOT NULL
collect_tenants.gone_at bigint NOT NULL
collect_tenants.last_at bigint NOT NULL
collect_tenants.accounts bigint NOT NULL
collect_tenants.words text NOT NULL
collect_tenants collect_tenants_pkey PRIMARY KEY (tenant)
CREATE UNIQUE INDEX collect_tenants_pkey ON public.collect_tenants USING btree (tenant)
connections.id text NOT NULL
connections.name text NOT NULL
connections.tenant text NOT NULL
connections.client_id text NOT NULL
connections.account text NOT NULL
connections.state text NOT NULL
connections.generation bigint NOT NULL
connections.previous bigint NOT NULL
connections.renew_after bigint NOT NULL
connections.lease_by text NOT NULL
connections.lease_until bigint NOT NULL
connections.changes bigint NOT NULL
connections.body text NOT NULL
connections.mark bytea NOT NULL DEFAULT '\x'::bytea
connections connections_name_key UNIQUE (name)
connections connections_pkey PRIMARY KEY (id)
connections connections_tenant_client_id_account_key UNIQUE (tenant, client_id, account)
CREATE INDEX connections_due ON public.connections USING btree (renew_after)
CREATE UNIQUE INDEX connections_name_key ON public.connections USING btree (name)
CREATE UNIQUE INDEX connections_pkey ON public.connections USING btree (id)
CREATE UNIQUE INDEX connections_tenant_client_id_account_key ON public.connections USING btree (tenant, client_id, account)
consent_intents.connection text NOT NULL
consent_intents.customer text NOT NULL
consent_intents.app text NOT NULL
consent_intents.grants text NOT NULL
consent_intents.since bigint NOT NULL
consent_intents.mark bytea NOT NULL DEFAULT '\x'::bytea
consent_intents consent_intents_pkey PRIMARY KEY (connection, customer)
CREATE UNIQUE INDEX consent_intents_pkey ON public.consent_intents USING btree (connection, customer)
console_links.id text NOT NULL
console_links.hash text NOT NULL
console_links.actor text NOT NULL
console_links.made bigint NOT NULL
console_links.ends bigint NOT NULL
console_links.mark bytea NOT NULL
console_links console_links_pkey PRIMARY KEY (id)
CREATE INDEX console_links_hash ON public.console_links USING btree (hash)
CREATE UNIQUE INDEX console_links_pkey ON public.console_links USING btree (id)
console_roles.id text NOT NULL
console_roles.tenant text NOT NULL
console_roles.kind text NOT NULL
console_roles.subject text NOT NULL
console_roles.name text NOT NULL
console_roles.role text NOT NULL
console_roles.customers text NOT NULL
console_roles.made bigint NOT NULL
console_roles.actor text NOT NULL
console_roles.mark bytea NOT NULL
console_roles console_roles_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX console_roles_pkey ON public.console_roles USING btree (id)
console_sessions.id text NOT NULL
console_sessions.hash text NOT NULL
console_sessions.way text NOT NULL
console_sessions.actor text NOT NULL
console_sessions.subject text NOT NULL
console_sessions.name text NOT NULL
console_sessions.tenant text NOT NULL
console_sessions.role text NOT NULL
console_sessions.customers text NOT NULL
console_sessions.held text NOT NULL
console_sessions.made bigint NOT NULL
console_sessions.seen bigint NOT NULL
console_sessions.idles bigint NOT NULL
console_sessions.ends bigint NOT NULL
console_sessions.proof text NOT NULL
console_sessions.proven bigint NOT NULL
console_sessions.address text NOT NULL
console_sessions.client text NOT NULL
console_sessions.version bigint NOT NULL
console_sessions.mark bytea NOT NULL
console_sessions console_sessions_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX console_sessions_pkey ON public.console_sessions USING btree (id)
console_tokens.id text NOT NULL
console_tokens.name text NOT NULL
console_tokens.hash text NOT NULL
console_tokens.rights text NOT NULL
console_tokens.customers text NOT NULL
console_tokens.made bigint NOT NULL
console_tokens.ends bigint NOT NULL
console_tokens.actor text NOT NULL
console_tokens.used bigint NOT NULL
console_tokens.mark bytea NOT NULL
console_tokens console_tokens_pkey PRIMARY KEY (id)
CREATE INDEX console_tokens_hash ON public.console_tokens USING btree (hash)
CREATE UNIQUE INDEX console_tokens_pkey ON public.console_tokens USING btree (id)
contain_acts.run text NOT NULL
contain_acts.seq bigint NOT NULL
contain_acts.n bigint NOT NULL
contain_acts.what text NOT NULL
contain_acts.asked bigint NOT NULL
contain_acts.answered bigint NOT NULL
contain_acts.result text NOT NULL
contain_acts.words text NOT NULL
contain_acts contain_acts_pkey PRIMARY KEY (run, seq, n)
CREATE UNIQUE INDEX contain_acts_pkey ON public.contain_acts USING btree (run, seq, n)
contain_approvals.run text NOT NULL
contain_approvals.hash text NOT NULL
contain_approvals.actor text NOT NULL
contain_approvals.approved bigint NOT NULL
contain_approvals.mark bytea NOT NULL
contain_approvals contain_approvals_pkey PRIMARY KEY (run)
CREATE UNIQUE INDEX contain_approvals_pkey ON public.contain_approvals USING btree (run)
contain_plans.id text NOT NULL
contain_plans.body text NOT NULL
contain_plans.made bigint NOT NULL
contain_plans.actor text NOT NULL
contain_plans.mark bytea NOT NULL
contain_plans contain_plans_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX contain_plans_pkey ON public.contain_plans USING btree (id)
contain_runs.id text NOT NULL
contain_runs.subscription text NOT NULL
contain_runs.state text NOT NULL
contain_runs.body text NOT NULL
contain_runs.version bigint NOT NULL
contain_runs.mark bytea NOT NULL
contain_runs.applied bigint NOT NULL
contain_runs.next bigint NOT NULL
contain_runs.holder text NOT NULL
contain_runs.held_until bigint NOT NULL
contain_runs contain_runs_pkey PRIMARY KEY (id)
contain_runs contain_runs_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'stopped'::text, 'restoring'::text, 'over'::text])))
CREATE INDEX contain_runs_next ON public.contain_runs USING btree (next)
CREATE UNIQUE INDEX contain_runs_pkey ON public.contain_runs USING btree (id)
CREATE INDEX contain_runs_subscription ON public.contain_runs USING btree (subscription)
contain_steps.run text NOT NULL
contain_steps.seq bigint NOT NULL
contain_steps.state text NOT NULL
contain_steps.step text NOT NULL
contain_steps.body text NOT NULL
contain_steps.version bigint NOT NULL
contain_steps.mark bytea NOT NULL
contain_steps contain_steps_pkey PRIMARY KEY (run, seq)
contain_steps contain_steps_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'going'::text, 'done'::text, 'found'::text, 'failed'::text, 'left'::text, 'undoing'::text, 'undone'::text, 'stays'::text, 'not-taken'::text])))
CREATE UNIQUE INDEX contain_steps_pkey ON public.contain_steps USING btree (run, seq)
delegation_moves.plan text NOT NULL
delegation_moves.customer text NOT NULL
delegation_moves.stage bigint NOT NULL
delegation_moves.state text NOT NULL
delegation_moves.wish text NOT NULL
delegation_moves.body text NOT NULL
delegation_moves.version bigint NOT NULL
delegation_moves.mark bytea NOT NULL
delegation_moves.next bigint NOT NULL
delegation_moves.holder text NOT NULL
delegation_moves.held_until bigint NOT NULL
delegation_moves delegation_moves_pkey PRIMARY KEY (plan, customer)
delegation_moves delegation_moves_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'checking'::text, 'creating'::text, 'locking'::text, 'inviting'::text, 'assigning'::text, 'probing'::text, 'easing'::text, 'proving'::text, 'ending'::text, 'removing'::text, 'done'::text, 'held'::text, 'cancelling'::text, 'cancelled'::text, 'restoring'::text, 'retracting'::text, 'rolled-back'::text])))
CREATE INDEX delegation_moves_next ON public.delegation_moves USING btree (next)
CREATE UNIQUE INDEX delegation_moves_pkey ON public.delegation_moves USING btree (plan, customer)
delegation_pins.id text NOT NULL
delegation_pins.role text NOT NULL
delegation_pins.grp text NOT NULL
delegation_pins.customer text NOT NULL
delegation_pins.reason text NOT NULL
delegation_pins.actor text NOT NULL
delegation_pins.made bigint NOT NULL
delegation_pins.mark bytea NOT NULL
delegation_pins delegation_pins_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX delegation_pins_pkey ON public.delegation_pins USING btree (id)
delegation_runs.id text NOT NULL
delegation_runs.body text NOT NULL
delegation_runs.state text NOT NULL
delegation_runs.why text NOT NULL
delegation_runs.stage bigint NOT NULL
delegation_runs.until bigint NOT NULL
delegation_runs.applied bigint NOT NULL
delegation_runs.actor text NOT NULL
delegation_runs.version bigint NOT NULL
delegation_runs.mark bytea NOT NULL
delegation_runs delegation_runs_pkey PRIMARY KEY (id)
delegation_runs delegation_runs_state_check CHECK ((state = ANY (ARRAY['running'::text, 'stopped'::text, 'over'::text])))
CREATE UNIQUE INDEX delegation_runs_pkey ON public.delegation_runs USING btree (id)
delegation_steps.plan text NOT NULL
delegation_steps.customer text NOT NULL
delegation_steps.seq bigint NOT NULL
delegation_steps.state text NOT NULL
delegation_steps.act text NOT NULL
delegation_steps.asked bigint NOT NULL
delegation_steps.answered bigint NOT NULL
delegation_steps.result text NOT NULL
delegation_steps.words text NOT NULL
delegation_steps delegation_steps_pkey PRIMARY KEY (plan, customer, seq)
CREATE UNIQUE INDEX delegation_steps_pkey ON public.delegation_steps USING btree (plan, customer, seq)
exceptions.id text NOT NULL
exceptions.requirement text NOT NULL
exceptions.accounts text NOT NULL
exceptions.owner text NOT NULL
exceptions.reason text NOT NULL
exceptions.control text NOT NULL
exceptions.added_by text NOT NULL
exceptions.added bigint NOT NULL
exceptions.expires bigint NOT NULL
exceptions.state text NOT NULL
exceptions.decided_by text NOT NULL
exceptions.decided bigint NOT NULL
exceptions.ended_by text NOT NULL
exceptions.ended bigint NOT NULL
exceptions.version bigint NOT NULL
exceptions.mark bytea NOT NULL
exceptions exceptions_pkey PRIMARY KEY (id)
exceptions exceptions_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'approved'::text, 'ended'::text])))
CREATE UNIQUE INDEX exceptions_pkey ON public.exceptions USING btree (id)
fraud_alerts.id text NOT NULL
fraud_alerts.graph_id text NOT NULL
fraud_alerts.event_id text NOT NULL
fraud_alerts.body text NOT NULL
fraud_alerts.settled bigint NOT NULL
fraud_alerts.seen bigint NOT NULL
fraud_alerts.aged bigint NOT NULL
fraud_alerts.gone bigint NOT NULL
fraud_alerts.mark bytea NOT NULL
fraud_alerts fraud_alerts_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX fraud_alerts_pkey ON public.fraud_alerts USING btree (id)
fraud_answers.alert text NOT NULL
fraud_answers.state text NOT NULL
fraud_answers.body text NOT NULL
fraud_answers.version bigint NOT NULL
fraud_answers.mark bytea NOT NULL
fraud_answers.next bigint NOT NULL
fraud_answers.holder text NOT NULL
fraud_answers.held_until bigint NOT NULL
fraud_answers fraud_answers_pkey PRIMARY KEY (alert)
fraud_answers fraud_answers_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'asked'::text, 'sent'::text, 'other'::text, 'failed'::text])))
CREATE INDEX fraud_answers_next ON public.fraud_answers USING btree (next)
CREATE UNIQUE INDEX fraud_answers_pkey ON public.fraud_answers USING btree (alert)
fraud_cases.alert text NOT NULL
fraud_cases.body text NOT NULL
fraud_cases.version bigint NOT NULL
fraud_cases.mark bytea NOT NULL
fraud_cases fraud_cases_pkey PRIMARY KEY (alert)
CREATE UNIQUE INDEX fraud_cases_pkey ON public.fraud_cases USING btree (alert)
fraud_pulls.source text NOT NULL
fraud_pulls.first bigint NOT NULL
fraud_pulls.good bigint NOT NULL
fraud_pulls.tried bigint NOT NULL
fraud_pulls.count bigint NOT NULL
fraud_pulls.why text NOT NULL
fraud_pulls.fix text NOT NULL
fraud_pulls.mark bytea NOT NULL
fraud_pulls fraud_pulls_pkey PRIMARY KEY (source)
CREATE UNIQUE INDEX fraud_pulls_pkey ON public.fraud_pulls USING btree (source)
fraud_ring_counts.what text NOT NULL
fraud_ring_counts.n bigint NOT NULL
fraud_ring_counts.last bigint NOT NULL
fraud_ring_counts fraud_ring_counts_pkey PRIMARY KEY (what)
CREATE UNIQUE INDEX fraud_ring_counts_pkey ON public.fraud_ring_counts USING btree (what)
fraud_rings.hash text NOT NULL
fraud_rings.at bigint NOT NULL
fraud_rings fraud_rings_pkey PRIMARY KEY (hash)
CREATE UNIQUE INDEX fraud_rings_pkey ON public.fraud_rings USING btree (hash)
gateway_decisions.hour bigint NOT NULL
gateway_decisions.route text NOT NULL
gateway_decisions.reason text NOT NULL
gateway_decisions.mode text NOT NULL
gateway_decisions.refused bigint NOT NULL
gateway_decisions.kind text NOT NULL
gateway_decisions.tenant text NOT NULL
gateway_decisions.caller text NOT NULL
gateway_decisions.client text NOT NULL
gateway_decisions.agent text NOT NULL
gateway_decisions.way text NOT NULL
gateway_decisions.excused text NOT NULL
gateway_decisions.account text NOT NULL
gateway_decisions.n bigint NOT NULL
gateway_decisions.first_at bigint NOT NULL
gateway_decisions.last_at bigint NOT NULL
gateway_decisions.told bigint NOT NULL
gateway_decisions gateway_decisions_pkey PRIMARY KEY (hour, route, reason, mode, refused, kind, tenant, caller, client, agent, way, excused)
CREATE UNIQUE INDEX gateway_decisions_pkey ON public.gateway_decisions USING btree (hour, route, reason, mode, refused, kind, tenant, caller, client, agent, way, excused)
gateway_revocations.id text NOT NULL
gateway_revocations.kind text NOT NULL
gateway_revocations.value text NOT NULL
gateway_revocations.tenant text NOT NULL
gateway_revocations.before_at bigint NOT NULL
gateway_revocations.until_at bigint NOT NULL
gateway_revocations.who text NOT NULL
gateway_revocations.why text NOT NULL
gateway_revocations.made bigint NOT NULL
gateway_revocations.ended bigint NOT NULL
gateway_revocations.ended_by text NOT NULL
gateway_revocations.mark bytea NOT NULL
gateway_revocations gateway_revocations_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX gateway_revocations_pkey ON public.gateway_revocations USING btree (id)
invitations.id text NOT NULL
invitations.hash text NOT NULL
invitations.tenant text NOT NULL
invitations.client_id text NOT NULL
invitations.name text NOT NULL
invitations.features text NOT NULL
invitations.made_by text NOT NULL
invitations.made_at bigint NOT NULL
invitations.expires_at bigint NOT NULL
invitations.used_at bigint NOT NULL
invitations.connection text NOT NULL
invitations.mark bytea NOT NULL DEFAULT '\x'::bytea
invitations invitations_hash_key UNIQUE (hash)
invitations invitations_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX invitations_hash_key ON public.invitations USING btree (hash)
CREATE UNIQUE INDEX invitations_pkey ON public.invitations USING btree (id)
mfa_acts.id text NOT NULL
mfa_acts.look text NOT NULL
mfa_acts.person text NOT NULL
mfa_acts.state text NOT NULL
mfa_acts.ends bigint NOT NULL
mfa_acts.body text NOT NULL
mfa_acts.version bigint NOT NULL
mfa_acts.mark bytea NOT NULL
mfa_acts mfa_acts_pkey PRIMARY KEY (id)
CREATE INDEX mfa_acts_person ON public.mfa_acts USING btree (person)
CREATE UNIQUE INDEX mfa_acts_pkey ON public.mfa_acts USING btree (id)
mfa_challenges.id text NOT NULL
mfa_challenges.look text NOT NULL
mfa_challenges.person text NOT NULL
mfa_challenges.state text NOT NULL
mfa_challenges.ends bigint NOT NULL
mfa_challenges.body text NOT NULL
mfa_challenges.version bigint NOT NULL
mfa_challenges.mark bytea NOT NULL
mfa_challenges mfa_challenges_pkey PRIMARY KEY (id)
CREATE INDEX mfa_challenges_ends ON public.mfa_challenges USING btree (ends)
CREATE UNIQUE INDEX mfa_challenges_pkey ON public.mfa_challenges USING btree (id)
mfa_counts.day text NOT NULL
mfa_counts.what text NOT NULL
mfa_counts.tenant text NOT NULL
mfa_counts.n bigint NOT NULL
mfa_counts.last bigint NOT NULL
mfa_counts mfa_counts_pkey PRIMARY KEY (day, what, tenant)
CREATE UNIQUE INDEX mfa_counts_pkey ON public.mfa_counts USING btree (day, what, tenant)
mfa_factors.id text NOT NULL
mfa_factors.look text NOT NULL
mfa_factors.person text NOT NULL
mfa_factors.state text NOT NULL
mfa_factors.ends bigint NOT NULL
mfa_factors.body text NOT NULL
mfa_factors.version bigint NOT NULL
mfa_factors.mark bytea NOT NULL
mfa_factors mfa_factors_look_key UNIQUE (look)
mfa_factors mfa_factors_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX mfa_factors_look_key ON public.mfa_factors USING btree (look)
CREATE INDEX mfa_factors_person ON public.mfa_factors USING btree (person)
CREATE UNIQUE INDEX mfa_factors_pkey ON public.mfa_factors USING btree (id)
mfa_hints.id text NOT NULL
mfa_hints.until bigint NOT NULL
mfa_hints mfa_hints_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX mfa_hints_pkey ON public.mfa_hints USING btree (id)
CREATE INDEX mfa_hints_until ON public.mfa_hints USING btree (until)
mfa_invitations.id text NOT NULL
mfa_invitations.look text NOT NULL
mfa_invitations.person text NOT NULL
mfa_invitations.state text NOT NULL
mfa_invitations.ends bigint NOT NULL
mfa_invitations.body text NOT NULL
mfa_invitations.version bigint NOT NULL
mfa_invitations.mark bytea NOT NULL
mfa_invitations mfa_invitations_look_key UNIQUE (look)
mfa_invitations mfa_invitations_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX mfa_invitations_look_key ON public.mfa_invitations USING btree (look)
CREATE UNIQUE INDEX mfa_invitations_pkey ON public.mfa_invitations USING btree (id)
mfa_keys.id text NOT NULL
mfa_keys.state text NOT NULL
mfa_keys.certificate text NOT NULL
mfa_keys.made bigint NOT NULL
mfa_keys.signs bigint NOT NULL
mfa_keys.ended bigint NOT NULL
mfa_keys.withdrawn bigint NOT NULL
mfa_keys.version bigint NOT NULL
mfa_keys.mark bytea NOT NULL
mfa_keys mfa_keys_pkey PRIMARY KEY (id)
mfa_keys mfa_keys_state_check CHECK ((state = ANY (ARRAY['signing'::text, 'next'::text, 'spare'::text, 'old'::text, 'withdrawn'::text])))
CREATE UNIQUE INDEX mfa_keys_one ON public.mfa_keys USING btree (state) WHERE (state = ANY (ARRAY['signing'::text, 'next'::text, 'spare'::text]))
CREATE UNIQUE INDEX mfa_keys_pkey ON public.mfa_keys USING btree (id)
mfa_notes.id text NOT NULL
mfa_notes.person text NOT NULL
mfa_notes.at bigint NOT NULL
mfa_notes.kind text NOT NULL
mfa_notes.source text NOT NULL
mfa_notes.words text NOT NULL
mfa_notes mfa_notes_pkey PRIMARY KEY (id)
CREATE INDEX mfa_notes_person ON public.mfa_notes USING btree (person)
CREATE UNIQUE INDEX mfa_notes_pkey ON public.mfa_notes USING btree (id)
mfa_people.id text NOT NULL
mfa_people.look text NOT NULL
mfa_people.person text NOT NULL
mfa_people.state text NOT NULL
mfa_people.ends bigint NOT NULL
mfa_people.body text NOT NULL
mfa_people.version bigint NOT NULL
mfa_people.mark bytea NOT NULL
mfa_people mfa_people_look_key UNIQUE (look)
mfa_people mfa_people_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX mfa_people_look_key ON public.mfa_people USING btree (look)
CREATE UNIQUE INDEX mfa_people_pkey ON public.mfa_people USING btree (id)
mfa_sessions.id text NOT NULL
mfa_sessions.look text NOT NULL
mfa_sessions.person text NOT NULL
mfa_sessions.state text NOT NULL
mfa_sessions.ends bigint NOT NULL
mfa_sessions.body text NOT NULL
mfa_sessions.version bigint NOT NULL
mfa_sessions.mark bytea NOT NULL
mfa_sessions mfa_sessions_look_key UNIQUE (look)
mfa_sessions mfa_sessions_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX mfa_sessions_look_key ON public.mfa_sessions USING btree (look)
CREATE UNIQUE INDEX mfa_sessions_pkey ON public.mfa_sessions USING btree (id)
mfa_tenants.id text NOT NULL
mfa_tenants.name text NOT NULL
mfa_tenants.cloud text NOT NULL
mfa_tenants.app text NOT NULL
mfa_tenants.client text NOT NULL
mfa_tenants.configuration text NOT NULL
mfa_tenants.added bigint NOT NULL
mfa_tenants.added_by text NOT NULL
mfa_tenants.ended bigint NOT NULL
mfa_tenants.version bigint NOT NULL
mfa_tenants.mark bytea NOT NULL
mfa_tenants mfa_tenants_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX mfa_tenants_pkey ON public.mfa_tenants USING btree (id)
mfa_tries.id text NOT NULL
mfa_tries.person text NOT NULL
mfa_tries.last bigint NOT NULL
mfa_tries.until bigint NOT NULL
mfa_tries.body text NOT NULL
mfa_tries.version bigint NOT NULL
mfa_tries mfa_tries_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX mfa_tries_pkey ON public.mfa_tries USING btree (id)
notify_attempts.message text NOT NULL
notify_attempts.channel text NOT NULL
notify_attempts.n bigint NOT NULL
notify_attempts.began bigint NOT NULL
notify_attempts.took bigint NOT NULL
notify_attempts.outcome text NOT NULL
notify_attempts.status text NOT NULL
notify_attempts.words text NOT NULL
notify_attempts.fix text NOT NULL
notify_attempts notify_attempts_outcome_check CHECK ((outcome = ANY (ARRAY['begun'::text, 'sent'::text, 'failed'::text])))
notify_attempts notify_attempts_pkey PRIMARY KEY (message, channel, n)
CREATE INDEX notify_attempts_last ON public.notify_attempts USING btree (channel, began)
CREATE UNIQUE INDEX notify_attempts_pkey ON public.notify_attempts USING btree (message, channel, n)
notify_deliveries.message text NOT NULL
notify_deliveries.channel text NOT NULL
notify_deliveries.state text NOT NULL
notify_deliveries.tries bigint NOT NULL
notify_deliveries.due bigint NOT NULL
notify_deliveries.changed bigint NOT NULL
notify_deliveries notify_deliveries_pkey PRIMARY KEY (message, channel)
notify_deliveries notify_deliveries_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'dead'::text])))
CREATE INDEX notify_deliveries_due ON public.notify_deliveries USING btree (state, due)
CREATE UNIQUE INDEX notify_deliveries_pkey ON public.notify_deliveries USING btree (message, channel)
notify_messages.id text NOT NULL
notify_messages.at bigint NOT NULL
notify_messages.test bigint NOT NULL
notify_messages.thread text NOT NULL
notify_messages.title text NOT NULL
notify_messages.body text NOT NULL
notify_messages notify_messages_pkey PRIMARY KEY (id)
CREATE INDEX notify_messages_at ON public.notify_messages USING btree (at)
CREATE UNIQUE INDEX notify_messages_pkey ON public.notify_messages USING btree (id)
posture_facts.tenant text NOT NULL
posture_facts.kind text NOT NULL
posture_facts.subject text NOT NULL
posture_facts.since bigint NOT NULL
posture_facts.till bigint NOT NULL
posture_facts.digest text NOT NULL
posture_facts.body text NOT NULL
posture_facts posture_facts_pkey PRIMARY KEY (tenant, kind, subject, since)
CREATE INDEX posture_facts_now ON public.posture_facts USING btree (tenant, till)
CREATE UNIQUE INDEX posture_facts_pkey ON public.posture_facts USING btree (tenant, kind, subject, since)
posture_rejudged.run text NOT NULL
posture_rejudged.tenant text NOT NULL
posture_rejudged.as_of bigint NOT NULL
posture_rejudged.judged bigint NOT NULL
posture_rejudged.book text NOT NULL
posture_rejudged.program text NOT NULL
posture_rejudged.error text NOT NULL
posture_rejudged.body text NOT NULL
posture_rejudged posture_rejudged_pkey PRIMARY KEY (run, tenant, as_of)
CREATE UNIQUE INDEX posture_rejudged_pkey ON public.posture_rejudged USING btree (run, tenant, as_of)
posture_rejudges.id text NOT NULL
posture_rejudges.began bigint NOT NULL
posture_rejudges.since bigint NOT NULL
posture_rejudges.until bigint NOT NULL
posture_rejudges.step bigint NOT NULL
posture_rejudges.span bigint NOT NULL
posture_rejudges.tenants text NOT NULL
posture_rejudges.total bigint NOT NULL
posture_rejudges.book text NOT NULL
posture_rejudges.program text NOT NULL
posture_rejudges.actor text NOT NULL
posture_rejudges posture_rejudges_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX posture_rejudges_pkey ON public.posture_rejudges USING btree (id)
posture_rollups.tenant text NOT NULL
posture_rollups.day text NOT NULL
posture_rollups.entries bigint NOT NULL
posture_rollups.rows_in bigint NOT NULL
posture_rollups.unasked bigint NOT NULL
posture_rollups.body bytea NOT NULL
posture_rollups posture_rollups_pkey PRIMARY KEY (tenant, day)
CREATE UNIQUE INDEX posture_rollups_pkey ON public.posture_rollups USING btree (tenant, day)
posture_rounds.tenant text NOT NULL
posture_rounds.round bigint NOT NULL
posture_rounds.as_of bigint NOT NULL
posture_rounds.judged bigint NOT NULL
posture_rounds.last_as_of bigint NOT NULL
posture_rounds.last bigint NOT NULL
posture_rounds.book text NOT NULL
posture_rounds.program text NOT NULL
posture_rounds.segment text NOT NULL
posture_rounds.root text NOT NULL
posture_rounds posture_rounds_pkey PRIMARY KEY (tenant, round)
CREATE UNIQUE INDEX posture_rounds_pkey ON public.posture_rounds USING btree (tenant, round)
registrations.client_id text NOT NULL
registrations.sealed text NOT NULL
registrations.waiting text NOT NULL
registrations.body text NOT NULL
registrations.mark bytea NOT NULL DEFAULT '\x'::bytea
registrations registrations_pkey PRIMARY KEY (client_id)
CREATE UNIQUE INDEX registrations_pkey ON public.registrations USING btree (client_id)
remedy_acts.run text NOT NULL
remedy_acts.seq bigint NOT NULL
remedy_acts.n bigint NOT NULL
remedy_acts.what text NOT NULL
remedy_acts.asked bigint NOT NULL
remedy_acts.answered bigint NOT NULL
remedy_acts.result text NOT NULL
remedy_acts.words text NOT NULL
remedy_acts remedy_acts_pkey PRIMARY KEY (run, seq, n)
CREATE UNIQUE INDEX remedy_acts_pkey ON public.remedy_acts USING btree (run, seq, n)
remedy_approvals.run text NOT NULL
remedy_approvals.plan text NOT NULL
remedy_approvals.actor text NOT NULL
remedy_approvals.approved bigint NOT NULL
remedy_approvals.mark bytea NOT NULL
remedy_approvals remedy_approvals_pkey PRIMARY KEY (run)
CREATE UNIQUE INDEX remedy_approvals_pkey ON public.remedy_approvals USING btree (run)
remedy_plans.id text NOT NULL
remedy_plans.body text NOT NULL
remedy_plans.made bigint NOT NULL
remedy_plans.actor text NOT NULL
remedy_plans.mark bytea NOT NULL
remedy_plans remedy_plans_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX remedy_plans_pkey ON public.remedy_plans USING btree (id)
remedy_runs.id text NOT NULL
remedy_runs.tenant text NOT NULL
remedy_runs.state text NOT NULL
remedy_runs.body text NOT NULL
remedy_runs.version bigint NOT NULL
remedy_runs.mark bytea NOT NULL
remedy_runs.applied bigint NOT NULL
remedy_runs.next bigint NOT NULL
remedy_runs.holder text NOT NULL
remedy_runs.held_until bigint NOT NULL
remedy_runs remedy_runs_pkey PRIMARY KEY (id)
remedy_runs remedy_runs_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'watching'::text, 'holding'::text, 'stopped'::text, 'undoing'::text, 'undone'::text, 'ended'::text])))
CREATE INDEX remedy_runs_next ON public.remedy_runs USING btree (next)
CREATE UNIQUE INDEX remedy_runs_pkey ON public.remedy_runs USING btree (id)
CREATE INDEX remedy_runs_tenant ON public.remedy_runs USING btree (tenant)
remedy_steps.run text NOT NULL
remedy_steps.seq bigint NOT NULL
remedy_steps.state text NOT NULL
remedy_steps.step text NOT NULL
remedy_steps.body text NOT NULL
remedy_steps.version bigint NOT NULL
remedy_steps.mark bytea NOT NULL
remedy_steps remedy_steps_pkey PRIMARY KEY (run, seq)
remedy_steps remedy_steps_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'going'::text, 'asked'::text, 'done'::text, 'found'::text, 'failed'::text, 'left'::text, 'undoing'::text, 'undone'::text, 'stays'::text, 'not-taken'::text])))
CREATE UNIQUE INDEX remedy_steps_pkey ON public.remedy_steps USING btree (run, seq)
settings.name text NOT NULL
settings.value text NOT NULL
settings settings_pkey PRIMARY KEY (name)
CREATE UNIQUE INDEX settings_pkey ON public.settings USING btree (name)
snapshot_parts.tenant text NOT NULL
snapshot_parts.part text NOT NULL
snapshot_parts.as_of bigint NOT NULL
snapshot_parts.made bigint NOT NULL
snapshot_parts.segment text NOT NULL
snapshot_parts.version text NOT NULL
snapshot_parts.size bigint NOT NULL
snapshot_parts.body bytea NOT NULL
snapshot_parts snapshot_parts_pkey PRIMARY KEY (part, tenant)
CREATE UNIQUE INDEX snapshot_parts_pkey ON public.snapshot_parts USING btree (part, tenant)
told.key text NOT NULL
told.at bigint NOT NULL
told told_pkey PRIMARY KEY (key)
CREATE UNIQUE INDEX told_pkey ON public.told USING btree (key)
trail_anchors.anchor text NOT NULL
trail_anchors.size bigint NOT NULL
trail_anchors.at bigint NOT NULL
trail_anchors.tried bigint NOT NULL
trail_anchors.failing bigint NOT NULL
trail_anchors.reason text NOT NULL
trail_anchors trail_anchors_pkey PRIMARY KEY (anchor)
CREATE UNIQUE INDEX trail_anchors_pkey ON public.trail_anchors USING btree (anchor)
trail_chain.one bigint NOT NULL
trail_chain.anchor text NOT NULL
trail_chain.seq bigint NOT NULL
trail_chain.hash text NOT NULL
trail_chain trail_chain_one_check CHECK ((one = 1))
trail_chain trail_chain_pkey PRIMARY KEY (one)
CREATE UNIQUE INDEX trail_chain_pkey ON public.trail_chain USING btree (one)
trail_head.one bigint NOT NULL
trail_head.id text NOT NULL
trail_head.size bigint NOT NULL
trail_head.nodes bytea NOT NULL
trail_head trail_head_one_check CHECK ((one = 1))
trail_head trail_head_pkey PRIMARY KEY (one)
CREATE UNIQUE INDEX trail_head_pkey ON public.trail_head USING btree (one)
trail_pages.first bigint NOT NULL
trail_pages.last bigint NOT NULL
trail_pages.earliest bigint NOT NULL
trail_pages.latest bigint NOT NULL
trail_pages.entries text NOT NULL
trail_pages trail_pages_pkey PRIMARY KEY (first)
CREATE UNIQUE INDEX trail_pages_pkey ON public.trail_pages USING btree (first)
trail_proofs.anchor text NOT NULL
trail_proofs.size bigint NOT NULL
trail_proofs.at bigint NOT NULL
trail_proofs.note text NOT NULL
trail_proofs.proof bytea NOT NULL
trail_proofs trail_proofs_pkey PRIMARY KEY (anchor, size)
CREATE UNIQUE INDEX trail_proofs_pkey ON public.trail_proofs USING btree (anchor, size)
trail_tiles.level bigint NOT NULL
trail_tiles.n bigint NOT NULL
trail_tiles.root bytea NOT NULL
trail_tiles.hashes bytea NOT NULL
trail_tiles trail_tiles_pkey PRIMARY KEY (level, n)
CREATE UNIQUE INDEX trail_tiles_pkey ON public.trail_tiles USING btree (level, n)
vault_keyset.id integer NOT NULL
vault_keyset.vault text NOT NULL
vault_keyset.generation bigint NOT NULL
vault_keyset.master_kind text NOT NULL
vault_keyset.master_id text NOT NULL
vault_keyset.master_params text NOT NULL
vault_keyset.wrapped bytea NOT NULL
vault_keyset.keyset bytea NOT NULL
vault_keyset.created bigint NOT NULL
vault_keyset.changed bigint NOT NULL
vault_keyset vault_keyset_id_check CHECK ((id = 1))
vault_keyset vault_keyset_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX vault_keyset_pkey ON public.vault_keyset USING btree (id)
vault_rows.purpose text NOT NULL
vault_rows.owner text NOT NULL
vault_rows.name text NOT NULL
vault_rows.sealed bytea NOT NULL
vault_rows.changed bigint NOT NULL
vault_rows vault_rows_pkey PRIMARY KEY (purpose, owner, name)
CREATE UNIQUE INDEX vault_rows_pkey ON public.vault_rows USING btree (purpose, owner, name)
