package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/alert"
	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/collect"
	"partnerguard/internal/console"
	"partnerguard/internal/coverage"
	"partnerguard/internal/customers"
	"partnerguard/internal/db"
	"partnerguard/internal/delegation"
	"partnerguard/internal/entra"
	"partnerguard/internal/fraud/budget"
	"partnerguard/internal/jobs"
	"partnerguard/internal/labtest"
	"partnerguard/internal/notify"
	"partnerguard/internal/people"
	"partnerguard/internal/posture"
	"partnerguard/internal/signins"
	"partnerguard/internal/vouch"
)

// planted is an installation with something of its own tenant and of two customers in
// everything that pages show. Each word that was planted begins with whose it is.
type planted struct {
	testing.TB
	lab   *labtest.Lab
	s     *app.Installation
	of    map[string]string // tenant id by mark: zzp the partner's, zza and zzb the customers'
	ids   []string          // of what is zzb's or zzp's: rows, alerts, connections
	open  []string          // addresses of pages that show nothing without one
	words map[string]bool   // what was planted, and whether somebody saw it
	told  map[string]bool   // leaks
}

// marks are how words begin, by whose they are.
var marks = []string{"zzp", "zza", "zzb"}

func (p *planted) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// word plants a word of somebody's.
func (p *planted) word(mark, what string) string {
	w := mark + "-" + what
	p.words[w] = false
	return w
}

// plant fills everything.
func plant(t testing.TB, lab *labtest.Lab, s *app.Installation) *planted {
	t.Helper()
	p := &planted{TB: t, lab: lab, s: s, words: map[string]bool{}, told: map[string]bool{}, of: map[string]string{"zzp": strings.ToLower(lab.Info.Tenant.ID),
		"zza": "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa", "zzb": "bbbbbbbb-2222-4222-8222-bbbbbbbbbbbb"}}
	ctx := t.Context()
	var known []collect.Tenant
	for _, m := range marks {
		t := collect.Tenant{ID: p.of[m], Domain: m + ".example", Partner: m == "zzp"}
		if !t.Partner { // which is called as its connection calls it
			t.Name = p.word(m, "tenant")
		}
		known = append(known, t)
	}
	p.ok(s.Collect.Known(ctx, known, true))
	for _, m := range marks {
		p.snapshot(m)
		p.readings(m)
		p.ok(s.Trail.Record(ctx, audit.Event{Action: audit.CollectionAsked, Outcome: audit.Done, Actor: p.word(m, "actor"), Object: p.word(m, "object"),
			Tenant: p.of[m]}))
	}
	p.partner()
	p.judged()
	p.alerted()
	p.warned()
	p.connected()
	p.gated()
	return p
}

// snapshot plants the parts that every tenant has.
func (p *planted) snapshot(m string) {
	p.Helper()
	ctx, now, t := p.Context(), p.s.Now(), p.of[m]
	id := p.word(m, "row")
	who := coverage.Person{ID: p.word(m, "whoid"), Name: p.word(m, "who")}
	parts := map[string]any{
		people.PartName: people.Part{Tenant: t, Name: m, At: now, Whole: true, Rows: []people.Row{{Tenant: t, ID: m + "-id", UPN: p.word(m, "upn"),
			Name: p.word(m, "name"), Class: "member", Enabled: "yes", InScope: true, RolesRead: "yes", Factor: "none", Registered: "no", Proof: people.Open,
			Ordinary: people.Open, Log: people.SeenUnasked, SignIns: 3, Unasked: 2, Verdict: "not_met", Reason: p.word(m, "why"), Weight: 9}}},
		signins.PartName: signins.Part{From: now.Add(-24 * time.Hour), To: now, First: now.Add(-24 * time.Hour), Last: now,
			Total: signins.Count{Open: 1}, Hours: []signins.Hour{{At: now.Truncate(time.Hour), Count: signins.Count{Open: 1}}},
			Marks: []signins.Mark{}, Facets: []signins.Facet{}, Against: signins.Kept{Rows: 1, Of: 1},
			Rows: []signins.Row{{ID: id, At: now, UserID: m + "-id", User: p.word(m, "signer"), App: p.word(m, "app"), IP: "203.0.113.7",
				Verdict: "not_challenged", Said: "nothing asked", Success: true, Segment: m + "-segment", Settings: "mfa_not_required"}}},
		coverage.PartName: coverage.Part{Settings: now, Who: []coverage.Who{{Key: "w", Name: p.word(m, "class"), Count: 1,
			Some: []coverage.Person{who}, Open: 1}},
			Places: []coverage.Side{{Key: "p", Name: p.word(m, "place"), Values: []string{"x"}}}, Clients: []coverage.Side{{Key: "c", Name: "browser"}},
			Cells:   [][]coverage.Cell{{{State: access.CellOpen, Detail: 1}}},
			Details: []coverage.Detail{{Account: who, App: "an app", Outcome: "open", Confirmed: true, Fixes: []int{0}}},
			Fixes:   []coverage.Fix{{Title: p.word(m, "fix"), Plain: "a fix", Detail: "mends it", Cells: 1}},
			Policy:  []coverage.Policy{{ID: m + "-policyid", Name: p.word(m, "policy"), State: "on", Asks: "MFA", Cells: 1, Of: 1}},
			Counts:  coverage.Counts{Cells: 1, Open: 1, Accounts: 1, AccountsOpen: 1}},
	}
	if m != "zzp" {
		parts[customers.OwnName] = customers.OwnPart{AsOf: now, SignIns: 777, Without: 7, Last: now}
		parts[budget.OwnName] = p.ownBudgets(m)
	}
	p.ok(p.s.Snapshot.Put(ctx, t, now.Add(1000*time.Hour), "", parts)) // as of later than whatever a job judges meanwhile
	if m != "zza" {
		p.ids = append(p.ids, id, m+"-id", m+"-segment", p.of[m], m+".example")
	}
}

// readings plants a gap, a list that fails and a job that is dead.
func (p *planted) readings(m string) {
	p.Helper()
	ctx, at := p.Context(), db.Micros(p.s.Now())
	for _, q := range [][]any{
		{`INSERT INTO collect_gaps (tenant, resource, item, from_at, to_at, since_at, closed_at, lost, reason, why, can, needs, request, run, tried_at)
			VALUES ($1, 'users', '', 0, 0, $2, 0, 0, 'permission', $3, '', $4, '', 'r1', 1)`, p.of[m], at, p.word(m, "gap"), m + "-needs"},
		{`INSERT INTO collect_cursors (tenant, resource, run, began_at, position, pages, span_from, span_to, flaw, covered_at, delta, base, due_at, whole_at,
			whole_run, whole_pages, tried_at, tries, words, refused, needs, refused_at)
			VALUES ($1, 'users', '', 0, '', 0, 0, 0, '', 0, '', '', $2, 0, '', 0, $2, 3, $3, '', '', 0)
			ON CONFLICT (tenant, resource) DO UPDATE SET due_at = excluded.due_at, tries = excluded.tries, words = excluded.words`,
			p.of[m], at, p.word(m, "failure")}, // a job may have been there before
		{`INSERT INTO river_job (args, kind, max_attempts, attempt, state, finalized_at, errors)
			VALUES (CAST($1 AS blob), 'collect.tenant', 3, 3, 'discarded', CURRENT_TIMESTAMP, CAST($2 AS blob))`, fmt.Sprintf(`{"tenant":%q}`, p.of[m]),
			fmt.Sprintf(`[{"at":"2026-11-29T00:00:00Z","attempt":3,"error":%q,"trace":""}]`, p.word(m, "dead"))},
	} {
		text, _ := q[0].(string)
		_, err := p.s.DB.ExecContext(ctx, text, q[1:]...)
		p.ok(err)
	}
}

// partner plants what the partner's own facts say of all.
func (p *planted) partner() {
	p.Helper()
	now := p.s.Now()
	part := customers.Part{AsOf: now, Whole: true, List: customers.List{At: now, Whole: true, Read: true},
		Relationships: customers.List{At: now, Whole: true, Read: true}}
	var told alert.Part
	for _, m := range marks {
		told.Deadlines = append(told.Deadlines, alert.Deadline{ID: "gdap/" + m, Kind: alert.DueDelegation, At: now.Add(40 * 24 * time.Hour), Sure: true,
			Title: p.word(m, "ends"), Tenant: p.of[m], Path: "/customers"})
		told.Microsoft = append(told.Microsoft, alert.Waiting{ID: m + "-ms", Name: p.word(m, "fraud"), Customer: p.of[m], Detected: now})
		if m != "zzp" {
			part.Customers = append(part.Customers, customers.Customer{Tenant: p.of[m], Name: p.word(m, "customer"), Domain: m + ".example", Listed: true,
				DAP: customers.Yes, GDAP: []customers.Relationship{{ID: m + "-gdap", Name: p.word(m, "gdap"), Status: "active", Active: true,
					End: now.Add(10 * 24 * time.Hour), Extends: customers.No, Global: true}}})
		}
	}
	st := posture.BuildStatus(posture.StatusInput{StatusPart: posture.StatusPart{Tenant: p.of["zzp"], At: now, Book: "2026-11-29", Kind: "CSP", Cloud: "public",
		Details: []posture.Detail{{ID: "mfa-every-user", Action: p.word("zzp", "action"), Evidence: []posture.Decider{{Subject: p.word("zzp", "decider")}}}},
		Causes:  []posture.Fix{{Rank: 1, Kind: "settings", Title: p.word("zzp", "cause"), Mandatory: true}}}})
	p.ok(p.s.Snapshot.Put(p.Context(), p.of["zzp"], now.Add(1000*time.Hour), "",
		map[string]any{customers.PartName: part, delegation.PartName: p.delegated(), alert.PartName: told, posture.StatusPartName: st,
			budget.PartName: p.spent()}))
}

// judged keeps judgements, exceptions, attestations and a script.
func (p *planted) judged() {
	p.Helper()
	ctx, now := p.Context(), p.s.Now()
	for _, m := range marks {
		_, err := p.s.Posture.Keep(ctx, &posture.State{Tenant: p.of[m], AsOf: now, Judged: now, Book: "2026-11-29", Program: "test",
			Requirements: []posture.Requirement{{ID: "mfa-every-user", Title: "MFA for every user", Level: "mandatory", Binding: "enforced",
				Verdict: posture.NotMet, Reason: m + "-reason"}}})
		p.ok(err)
		k, err := p.s.Posture.KeepStatement(ctx, p.of[m], vouch.Statement{Kind: vouch.Attestation, Requirement: "app-passwords", Who: p.word(m, "voucher"),
			Reason: "looked", Since: now.Format(time.DateOnly), Until: now.AddDate(0, 3, 0).Format(time.DateOnly)}, "local:ada")
		p.ok(err)
		if m != "zza" {
			p.ids = append(p.ids, k.ID)
		}
	}
	for _, approve := range []bool{true, false} {
		x, err := p.s.Posture.AddException(ctx, posture.Exception{Requirement: "mfa-every-user",
			Accounts: []string{p.word("zzp", fmt.Sprint("left-", approve))}, Owner: "Cleo", Reason: "a scanner", Control: "one address",
			Expires: now.AddDate(0, 2, 0)}, "local:ada")
		p.ok(err)
		if p.ids = append(p.ids, x.ID); approve {
			_, err = p.s.Posture.Approve(ctx, x.ID, "local:ravi")
			p.ok(err)
		}
	}
	_, err := p.s.DB.ExecContext(ctx, `INSERT INTO automation_items (id, body, owner, state, note, story, moved_at, quiet_to, updated, version)
		VALUES ('a-1', $1, '', 'found', $2, '', 0, 0, 1, 1)`, `{"id":"a-1","name":"`+p.word("zzp", "script")+`","confidence":"certain"}`, p.word("zzp", "note"))
	p.ok(err)
	p.ids = append(p.ids, "a-1")
}

// alerted opens an alert of each, and one of the house.
func (p *planted) alerted() {
	p.Helper()
	ctx := p.Context()
	out, err := notify.New(notify.Deps{DB: p.s.DB, Now: p.s.Now, Record: p.s.Trail, Config: &notify.Config{
		Channels: []notify.Setting{{Name: "soc", Syslog: "tcp://127.0.0.1:1"}}}})
	p.ok(err)
	store, err := alert.New(alert.Deps{DB: p.s.DB, Now: p.s.Now, Out: out, Record: p.s.Trail, Marks: p.s.Vault,
		Sources: []alert.NamedSource{{Name: "planted", Get: func(context.Context) (list []alert.Finding, _ bool, _ error) {
			for _, m := range marks {
				list = append(list, alert.Finding{Key: "planted:" + m, Kind: alert.Fraud, Severity: notify.Urgent, Tenant: p.of[m], Title: p.word(m, "alert"),
					Cause: p.word(m, "alertcause"), Subjects: []string{p.word(m, "subject")}, Count: 1, Of: 1, Unit: "accounts"})
			}
			return append(list, alert.Finding{Key: "planted:house", Kind: alert.Collection, Severity: notify.Warning, Title: p.word("zzp", "house"),
				Subjects: []string{"zzb.example"}, Count: 1}), true, nil
		}}}})
	p.ok(err)
	p.ok(store.Look(ctx))
	list, err := store.List(ctx, alert.Listing{})
	p.ok(err)
	for i := range list {
		if list[i].Tenant != p.of["zza"] {
			p.ids = append(p.ids, list[i].ID)
		}
	}
}

// connected makes a connection of a customer's account, and a job that nobody tries.
func (p *planted) connected() {
	p.Helper()
	c := p.lab.Captured(labtest.SAMAgent, p.lab.Grant(labtest.PanelApp, labtest.SAMAgent))
	c.Tenant, c.Domain, c.Account, c.Suggested, c.ObjectID = p.of["zzb"], "zzb.example", p.word("zzb", "account"), p.word("zzb", "connection"), ""
	k, err := p.s.SAM.Store.Keep(p.Context(), c)
	p.ok(err)
	q, err := jobs.Open(p.Context(), p.s.DB, jobs.Options{})
	p.ok(err)
	dead, err := q.Dead(p.Context(), "")
	p.ok(err)
	for i := range dead {
		if !strings.Contains(string(dead[i].Args), p.of["zza"]) {
			p.ids = append(p.ids, fmt.Sprint(dead[i].ID))
		}
	}
	p.ids = append(p.ids, k.ID, "zzb-connection")
	g, err := p.s.Console.Give(p.Context(), console.Grant{Tenant: p.of["zzp"], Kind: console.KindUser, Subject: "22222222-0000-4000-8000-000000000001",
		Name: p.word("zzp", "grantee"), Role: console.RoleReader, Customers: []string{p.of["zzb"]}}, "local:owner")
	p.ok(err)
	t, _, err := p.s.Console.MakeToken(p.Context(), console.Token{Name: p.word("zzp", "program"), Rights: []string{"customers.see"},
		Ends: p.s.Now().Add(24 * time.Hour)}, "local:owner")
	p.ok(err)
	p.ids = append(p.ids, g.ID, t.ID)
}

// delegated is a delegation of which every customer, and the partner's people and groups, bear
// their mark.
func (p *planted) delegated() *delegation.Inventory {
	now := p.s.Now()
	inv := &delegation.Inventory{AsOf: now, Tenant: p.of["zzp"], AdminAgents: []string{"zzp-agents"}, Lists: map[string]delegation.ListRead{
		"groups": {At: now, Why: p.word("zzp", "listwhy")}},
		People: map[string]*delegation.Person{"zzp-person": {ID: "zzp-person", Name: p.word("zzp", "technician"), UPN: p.word("zzp", "techupn"), Known: true}},
		Groups: map[string]*delegation.Group{"zzp-agents": {ID: "zzp-agents", Name: p.word("zzp", "agents"), Known: true, Why: p.word("zzp", "groupwhy"),
			Members: []delegation.Member{{Person: "zzp-person", Via: []string{"zzp-inner"}}}},
			"zzp-inner": {ID: "zzp-inner", Name: p.word("zzp", "inner"), Known: true, Whole: true}},
		Unclaimed: []delegation.Relationship{{ID: "zzp-unclaimed", Name: "zzp-offer"}}}
	for _, m := range marks {
		if m == "zzp" {
			continue
		}
		inv.Customers = append(inv.Customers, delegation.Customer{Tenant: p.of[m], Name: p.word(m, "delegated"), Domain: m + ".example", DAP: delegation.Yes,
			Relationships: []delegation.Relationship{{ID: m + "-relation", Name: p.word(m, "relation"), Status: "active", Active: true, Read: delegation.Yes,
				End: now.Add(10 * 24 * time.Hour), Roles: []string{entra.RoleGlobalAdministrator}, Assignments: []delegation.Assignment{{ID: m + "-assign",
					Group: "zzp-agents", Status: "active", Active: true, Roles: []string{entra.RoleGlobalAdministrator}}}}}})
	}
	return inv
}
