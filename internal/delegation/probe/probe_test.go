package probe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
)

const (
	rel, old     = "r-new", "r-old"
	desk, ops    = "g-desk", "g-ops"
	helpdesk     = entra.RoleHelpdeskAdministrator
	reader       = entra.RoleDirectoryReaders
	global       = entra.RoleGlobalAdministrator
	customer     = "c-1"
	longUnknown  = "a status of tomorrow"
	otherAccount = "lena@contoso.example"
)

var now = time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)

// fake is a Microsoft that answers what a case says.
type fake struct {
	rels   map[string]Relationship
	lists  map[string][]Assignment
	dap    delegation.Answer
	token  Token
	groups []string
	seen   time.Time
	broken string // the question that nobody answers
	asked  []string
}

func (f *fake) err(q string) error {
	f.asked = append(f.asked, q)
	if f.broken == q {
		return problem.New(problem.Unavailable, "no answer to %s", q).WithHint("try again")
	}
	return nil
}

func (f *fake) Relationship(_ context.Context, id string) (Relationship, error) {
	return f.rels[id], f.err("relationship")
}

func (f *fake) Assignments(_ context.Context, id string) ([]Assignment, error) {
	return f.lists[id], f.err("assignments")
}
func (f *fake) Relationships(context.Context, string) ([]string, error) {
	return []string{rel, old}, f.err("relationships")
}
func (f *fake) DAP(context.Context, string) (delegation.Answer, error) { return f.dap, f.err("dap") }
func (f *fake) Token(context.Context, string) (Token, error)           { return f.token, f.err("token") }
func (f *fake) Groups(context.Context) ([]string, error)               { return f.groups, f.err("groups") }
func (f *fake) SignedIn(context.Context, string, string, time.Time) (time.Time, error) {
	return f.seen, f.err("sign-ins")
}

// good is a customer where everything is as it should be.
func good() (*fake, Expectation) {
	f := &fake{
		rels: map[string]Relationship{rel: {Status: "active"}, old: {Status: "terminated"}},
		lists: map[string][]Assignment{rel: {
			{ID: "1", Group: desk, Status: "active", Roles: []string{helpdesk, reader}}, {ID: "0", Group: ops, Status: "deleted", Roles: []string{global}},
		}},
		dap: delegation.No, token: Token{Account: otherAccount, Roles: []string{helpdesk, reader, everybody}}, groups: []string{desk},
		seen: now.Add(-time.Minute),
	}
	return f, Expectation{
		Customer: customer, Active: []Access{{Relationship: rel, Group: desk, Roles: []string{reader, helpdesk}}},
		Gone: []Access{{Relationship: old}, {Relationship: rel, Group: ops}}, NoDAP: true, Whole: true, NoRole: []Lost{{ops, global}, {desk, global}},
		Since: now.Add(-5 * time.Minute),
	}
}

func one(list []Result, k Kind) Result {
	i := slices.IndexFunc(list, func(r Result) bool { return r.Kind == k })
	if i < 0 {
		return Result{}
	}
	return list[i]
}

// Everything as it should be, then one thing after the other that is not.
func TestProbe(t *testing.T) {
	t.Parallel()
	long := func(_ *fake, e *Expectation) { e.Since = now.Add(-2 * time.Hour) }
	for name, c := range map[string]struct {
		spoil func(*fake, *Expectation)
		kind  Kind
		want  Outcome
		all   Outcome // of the customer
		proof Proof
	}{
		"all is well": {func(*fake, *Expectation) {}, TokenRoles, Pass, Pass, ByToken},
		"becoming active": {func(f *fake, _ *Expectation) { f.rels[rel] = Relationship{Status: "activating"} }, RelationshipActive, Wait, Wait,
			ByState},
		"becoming active for two hours": {func(f *fake, e *Expectation) { long(f, e); f.rels[rel] = Relationship{Status: "activating"} },
			RelationshipActive, Fail, Fail, ByState},
		"not approved":     {func(f *fake, _ *Expectation) { f.rels[rel] = Relationship{Status: "approvalPending"} }, RelationshipActive, Fail, Fail, ByState},
		"no relationship":  {func(f *fake, _ *Expectation) { delete(f.rels, rel) }, RelationshipActive, Fail, Fail, ByState},
		"ended":            {func(f *fake, _ *Expectation) { f.rels[rel] = Relationship{Status: "terminating"} }, RelationshipActive, Fail, Fail, ByState},
		"a status unheard": {func(f *fake, _ *Expectation) { f.rels[rel] = Relationship{Status: longUnknown} }, RelationshipActive, Fail, Fail, ByState},
		"no assignment yet": {func(f *fake, _ *Expectation) { f.lists[rel] = nil }, AssignmentActive, Wait, Wait,
			ByState},
		"no assignment at all":   {func(f *fake, e *Expectation) { long(f, e); f.lists[rel] = nil }, AssignmentActive, Fail, Fail, ByState},
		"an assignment in error": {func(f *fake, _ *Expectation) { f.lists[rel][0].Status = "error" }, AssignmentActive, Fail, Fail, ByState},
		"a role too few":         {late(func(f *fake) { f.lists[rel][0].Roles = []string{reader} }), AssignmentActive, Fail, Fail, ByState},
		"a role too many": {func(f *fake, e *Expectation) { long(f, e); f.lists[rel][0].Roles = []string{reader, helpdesk, global} },
			AssignmentActive, Fail, Fail, ByState},
		"the old one lives": {func(f *fake, e *Expectation) { long(f, e); f.rels[old] = Relationship{Status: "active"} }, RelationshipEnded, Fail, Fail,
			ByState},
		"the old one ends":     {ending, RelationshipEnded, Wait, Wait, ByState},
		"the old group is in":  {func(f *fake, e *Expectation) { long(f, e); f.lists[rel][1].Status = "active" }, AssignmentGone, Fail, Fail, ByState},
		"the old group leaves": {func(f *fake, _ *Expectation) { f.lists[rel][1].Status = "deleting" }, AssignmentGone, Wait, Wait, ByState},
		"nobody could end it":  {func(f *fake, _ *Expectation) { f.lists[rel][1].Status = "error" }, AssignmentGone, Unknown, Unknown, ByState},
		"a role is still given": {func(f *fake, e *Expectation) {
			long(f, e)
			f.lists[old] = []Assignment{{Group: ops, Status: "active", Roles: []string{global}}}
		}, RoleGone, Fail, Fail, ByState},
		"DAP is there":          {func(f *fake, e *Expectation) { long(f, e); f.dap = delegation.Yes }, DAPGone, Fail, Fail, ByState},
		"nobody says about DAP": {func(f *fake, _ *Expectation) { f.dap = delegation.Unknown }, DAPGone, Unknown, Unknown, ByNone},
		"DAP is still felt": {func(f *fake, e *Expectation) {
			long(f, e)
			e.Whole = false
			f.token.Roles = append(f.token.Roles, global)
		}, TokenRoles,
			Fail, Fail, ByToken},
		"the token is late":             {func(f *fake, _ *Expectation) { f.token.Roles = []string{everybody} }, TokenRoles, Wait, Wait, ByToken},
		"the token never came":          {func(f *fake, e *Expectation) { long(f, e); f.token = Token{Refused: true} }, TokenRoles, Fail, Fail, ByToken},
		"the token says nothing":        {func(f *fake, _ *Expectation) { f.token.Roles = nil }, TokenRoles, Unknown, Pass, ByNone},
		"a stranger's token":            {func(f *fake, _ *Expectation) { f.groups, f.token = nil, Token{Refused: true} }, TokenRoles, Pass, Pass, ByToken},
		"a stranger's token, not whole": {stranger, TokenRoles, Unknown, Pass, ByNone},
		"nobody was seen":               {func(f *fake, _ *Expectation) { f.seen = time.Time{} }, MemberSeen, Unknown, Pass, ByNone},
	} {
		f, e := good()
		c.spoil(f, &e)
		out := Probe(t.Context(), f, e, now)
		r := one(out, c.kind)
		all, words := Judge(out)
		if r.Outcome != c.want || all != c.all || r.Proof != c.proof || words == "" || r.Got == "" || r.Customer != customer {
			t.Errorf("%s: %+v\nall %s: %s", name, r, all, words)
		}
		if (r.Outcome == Wait) != !r.Again.IsZero() {
			t.Errorf("%s: asked again at %s", name, r.Again)
		}
	}
}

// late is a disturbance that has had its time.
func late(spoil func(*fake)) func(*fake, *Expectation) {
	return func(f *fake, e *Expectation) { e.Since = now.Add(-2 * time.Hour); spoil(f) }
}

func ending(f *fake, _ *Expectation) { f.rels[old] = Relationship{Status: "terminationRequested"} }

func stranger(f *fake, e *Expectation) {
	f.groups, e.Whole, e.NoDAP, f.token = nil, false, false, Token{Roles: []string{everybody, reader}}
}

// What cannot be asked is never passed, whichever question it is, and the rest is asked.
func TestWhatCannotBeAsked(t *testing.T) {
	t.Parallel()
	for q, kinds := range map[string][]Kind{
		"relationship": {RelationshipActive, RelationshipEnded, AssignmentGone}, "assignments": {AssignmentActive, AssignmentGone, RoleGone},
		"relationships": {RoleGone}, "dap": {DAPGone},
		"token": {TokenRoles}, "groups": {TokenRoles}, "sign-ins": {MemberSeen},
	} {
		f, e := good()
		f.broken = q
		out := Probe(t.Context(), f, e, now)
		for _, r := range out {
			hit := slices.Contains(kinds, r.Kind)
			if (r.Outcome == Unknown) != hit || hit && (r.Fix == "" || r.Why == "") {
				t.Errorf("%s: %+v", q, r)
			}
		}
		if all, _ := Judge(out); (all == Pass) != !needed(kinds[0]) {
			t.Errorf("%s: all %s", q, all)
		}
	}
	if o, _ := Judge(nil); o != Unknown {
		t.Errorf("nothing asked: %s", o)
	}
	if o, _ := Judge([]Result{{Kind: TokenRoles, Outcome: Pass, Proof: ByToken}}); o != Unknown {
		t.Errorf("a token alone: %s", o)
	}
}

// A change that takes its time is waited for, and no longer than patience lasts.
func TestPatience(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		comes, lasts time.Duration
		want         Outcome
	}{{2 * time.Minute, 9 * time.Minute, Pass}, {time.Hour, 3 * time.Minute, Wait}, {time.Hour, 2 * time.Hour, Fail}} {
		f, e := good()
		at := now
		e.Since = now
		f.rels[rel] = Relationship{Status: "activating"}
		out, err := Patient(t.Context(), f, e, Patience{Until: now.Add(c.lasts), Now: func() time.Time { return at },
			Sleep: func(_ context.Context, d time.Duration) error {
				if at = at.Add(d); at.Sub(now) >= c.comes {
					f.rels[rel] = Relationship{Status: "active"}
				}
				return nil
			}})
		if o, words := Judge(out); err != nil || o != c.want || at.Sub(now) > c.lasts {
			t.Errorf("comes after %s: %s after %s: %s %v", c.comes, o, at.Sub(now), words, err)
		}
	}
	f, e := good()
	f.rels[rel] = Relationship{Status: "activating"}
	stop := errors.New("stop")
	if _, err := Patient(t.Context(), f, e, Patience{Until: now.Add(time.Hour), Now: func() time.Time { return now },
		Sleep: func(context.Context, time.Duration) error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

// Texts of others reach nobody as they are.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	f, e := good()
	bad := "\x1b[31mactive\u202e" + strings.Repeat("x", 5000)
	f.rels[rel] = Relationship{Status: bad}
	f.lists[rel][0].Roles = []string{bad}
	f.token.Account, f.token.Roles = bad, []string{bad}
	for _, r := range Probe(t.Context(), f, e, now) {
		for _, s := range []string{r.Got, r.Why, r.Subject, r.Want} {
			if strings.ContainsAny(s, "\x1b\u202e") || len(s) > 700 {
				t.Errorf("%s shows %.80q", r.Kind, s)
			}
		}
	}
}

var hostileAnswers = []string{
	``, `null`, `[]`, `{}`, `{"status":""}`, `{"status":7}`, `{"status":null}`, `{"status":"active","accessDetails":[]}`, `{"value":[]}`,
	`{"status":"active","accessDetails":{"unifiedRoles":[{}]}}`, `{"status":"active","accessDetails":{"unifiedRoles":"all"}}`,
	`{"status":"` + strings.Repeat("x", 300) + `"}`, `{"status":"active","accessDetails":{"unifiedRoles":[{"roleDefinitionId":""}]}}`,
	`{"status":"active"`, "{\"status\":\"active\"} {}",
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for _, s := range hostileAnswers {
		if r, err := ReadRelationship([]byte(s)); err == nil {
			t.Errorf("%.60q: a relationship %+v", s, r)
		}
		if a, err := ReadAssignment([]byte(s)); err == nil {
			t.Errorf("%.60q: an assignment %+v", s, a)
		}
	}
	for what, s := range map[string]string{"of no group": `{"id":"1","status":"active"}`, "without a status": `{"id":"1","accessContainer":{"accessContainerId":"g"}}`} {
		if _, err := ReadAssignment([]byte(s)); err == nil {
			t.Errorf("an assignment %s", what)
		}
	}
	r, err := ReadRelationship([]byte(`{"status":"active","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"ABC"}]},"new":{}}`))
	if err != nil || r.Status != "active" || !slices.Equal(r.Roles, []string{"abc"}) {
		t.Errorf("%+v %v", r, err)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range hostileAnswers {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := ReadRelationship(raw); err == nil && (r.Status == "" || len(r.Roles) > maxRoles) {
			t.Errorf("%+v", r)
		}
		if a, err := ReadAssignment(raw); err == nil && (a.Status == "" || a.Group == "" || len(a.Roles) > maxRoles) {
			t.Errorf("%+v", a)
		}
	})
}
