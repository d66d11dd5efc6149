// Package scenario builds the world of the partner cloud from a readable file:
// a partner with its people, groups, apps and policies, control panel vendors,
// External MFA providers, customers, and the generated rest. It owns the file's
// format, the embedded default (Contoso Cloud Partners), the seeded generator
// and the generated history. It decides no sign-in itself: every generated row
// went through signon with the settings of the moment the world was made.
//
// # The file
//
// YAML of at most 4 MB, one document, without anchors, aliases, merge keys and
// tags. Unknown keys, wrong types, names that nobody bears and ids given twice
// are errors with file, line, what, and what to do. Moments are days
// (2026-03-01), moments (2026-03-01T08:00:00Z), or distances from the moment the
// world was made (-90d, -36h, +30d). Ids that are left out come from the seed,
// as do passwords, TOTP secrets and client secrets. [Default] is commented line
// by line; the parts are
//
//	name, seed        what the world is called; what its ids and dice come from
//	clock             start, frozen; without: the machine's clock
//	history           days of generated logs, 30 when left out, at most 400
//	partner           id, name, domains, kind, cloud, country, since, licence
//	                  (free, p1, p2), trial (p2: one that ran out), seats,
//	                  securityContact, and the settings
//	(settings)        securityDefaults, acceptsHomeMfa, baselineScopes (enabled,
//	                  disabled), locations (name, trusted,
//	                  networks; or countries, unknownToo), strengths, methods (method: enabled|disabled),
//	                  externalMfa (name, app, clientId, discovery, state, groups),
//	                  policies, about
//	(policies)        name, state (on, off, report-only), created; users, roles,
//	                  groups, guests; exceptUsers, exceptRoles, exceptGroups,
//	                  exceptGuests; apps,
//	                  exceptApps, actions, contexts; clients, platforms,
//	                  exceptPlatforms, locations, exceptLocations, signInRisk,
//	                  userRisk, flows, devices (mode, rule); grant, operator,
//	                  strength, frequency (4h, 7d, every time), browser (always,
//	                  never). Or raw: the object as Graph writes it
//	sites             name, network, city, state, country, latitude, longitude:
//	                  where people sign in from; the first is the office
//	people            upn, name, title, department, roles, eligible, groups,
//	                  methods (push, totp, key, hello, phone, pass, external),
//	                  enabled, guestOf, synced, risk, perUserMfa, noPassword,
//	                  passwordExpired, created, about, habit, appPasswords
//	(appPasswords)    made ("": before the audit log begins), deleted, by (upn)
//	(habit)           kind (person, script, device, sync, drill, none), works
//	                  (chance of a weekday), site, office, client (an old one, or
//	                  device code), app (of a script)
//	groups            name, about, members (people, groups, apps), eligible
//	                  (people who may activate membership), roles,
//	                  roleAssignable
//	apps              name, clientId, audience (one, many, personal), web, spa,
//	                  public, publicClient, identifiers, tokenV2, idTokens, publishes,
//	                  requires (resource, scopes, roles), secrets, certificates
//	                  (PEM), federated (name, issuer, subject, audiences), consent (none, admin, a upn), roles, panel,
//	                  calls (resource: perDay, site), created, about
//	vendors           control panel vendors: name, domain, settings, people,
//	                  groups, apps
//	providers         External MFA providers: name, domain, settings, apps
//	resellers         indirect resellers: name, id, mpn, country
//	customers         name, domain, settings, relationship, dap, dapUsed,
//	                  reseller, gdap, users (generated ones), people, groups,
//	                  subscriptions, azure, alerts, budget, currency, consented,
//	                  compromised, noAgreement, work
//	(work)            who (of the partner or the customer), did (reset password,
//	                  assign licence, change policy, ...), times, from, until,
//	                  failed: rows of the directory's audit log before the world
//	                  was made, 90 days back when nothing else is said
//	(gdap)            name, roles, status, since, for, autoExtend (off, P180D),
//	                  groups (group of the partner: roles), provider (tenant id
//	                  of an indirect provider who made it)
//	(subscriptions)   name, offer, quantity, status, since
//	(azure)           name, id, state, daily (cost), since, machines (name, group,
//	                  size, location, power, since, by: intruder)
//	(alerts)          type, name, about, severity, confidence, status, reason,
//	                  detected, azure, machine, hits, test, by
//	generate          customers and users (totals), usersPerCustomer, and shares
//	                  from 0 to 1: dapOnly, gdapOnly, both, azure, budgets,
//	                  compromised, securityDefaults, p1, p2, unregistered
//	enforcement       aobo, portal, api: announced, contract, reported, ramp,
//	                  enforced, firstShare; without: as it really came
//	keyVault          keys (name, versions); access (who, may: get, list, wrapKey,
//	                  unwrapKey, encrypt, decrypt, rotate)
//	exceptions        vendor, from, until: third-party MFA exceptions
//
// # What is made when
//
// [Build] makes the partner's tenant, the vendors' and the providers', and the
// partner's record of each customer. A customer's tenant is made when somebody
// asks for it (State.Make) and comes out the same whichever is asked first. The
// history (State.History) is made a day of a tenant at a time from a frozen copy
// of the world, so that later changes do not rewrite the past, and is kept only
// while it is read. A [Spec] holds all of that in a saved world; [Attach] hangs
// it on a loaded one.
//
// Work on behalf of a customer is one row with one id, in the customer's log and
// in the partner's.
//
// Sources: contracts.md sections 1, 2.3, 2.4, 3.1 to 3.11, 7, 8.1, 8.2, 9. Which
// share of people does what on a day, and all words, are invented.
package scenario
