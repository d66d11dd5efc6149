//go:build !judge

package run

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/access"
	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/remedy/object"
	"partnerguard/internal/vault"
)

// wire is Graph as the partner cloud's administrator has it, on which requests go wrong.
type wire struct {
	c      *control.Client
	tenant string

	mu sync.Mutex
	// before answers instead of the cloud; 0 lets it through. lost says that the answer is.
	before func(method, path string) int
	lost   func(method, path string) bool
	// stale answers reads from an older copy, where it has one.
	stale  func(path string) (json.RawMessage, bool)
	writes []string
}

func (w *wire) ask(ctx context.Context, method, path string, body json.RawMessage) (msapi.Reply, error) {
	w.mu.Lock()
	before, lost, stale := w.before, w.lost, w.stale
	if method != http.MethodGet {
		w.writes = append(w.writes, method+" "+path)
	}
	w.mu.Unlock()
	if before != nil {
		if status := before(method, path); status != 0 {
			return msapi.Reply{}, &msapi.APIError{Service: "Microsoft Graph", Status: status, Transient: status == 429 || status >= 500}
		}
	}
	if stale != nil && method == http.MethodGet {
		if raw, is := stale(path); is {
			if raw == nil {
				return msapi.Reply{}, &msapi.APIError{Service: "Microsoft Graph", Status: http.StatusNotFound}
			}
			return msapi.Reply{Status: 200, Body: raw}, nil
		}
	}
	a, err := w.c.Graph(ctx, control.GraphCall{Method: method, Path: path, Tenant: w.tenant, Body: body})
	if err != nil {
		return msapi.Reply{}, err
	}
	if lost != nil && lost(method, path) {
		return msapi.Reply{}, &msapi.APIError{Service: "Microsoft Graph", Transient: true}
	}
	if a.Status >= 300 {
		return msapi.Reply{}, &msapi.APIError{Service: "Microsoft Graph", Status: a.Status, Transient: a.Status == 429 || a.Status >= 500, Code: string(a.Body)}
	}
	return msapi.Reply{Status: a.Status, Body: a.Body}, nil
}

func (w *wire) Read(ctx context.Context, path string) (msapi.Reply, error) {
	return w.ask(ctx, http.MethodGet, path, nil)
}

func (w *wire) Write(ctx context.Context, x msapi.Write) (msapi.Reply, error) {
	raw, err := json.Marshal(x.Body)
	if err != nil {
		return msapi.Reply{}, err
	}
	if x.Body == nil {
		raw = nil
	}
	return w.ask(ctx, x.Method, x.Path, raw)
}

func (w *wire) Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		r, err := w.Read(ctx, path)
		var page struct{ Value []json.RawMessage }
		if err == nil {
			err = json.Unmarshal(r.Body, &page)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, raw := range page.Value {
			if !yield(raw, nil) {
				return
			}
		}
	}
}

func (w *wire) written() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.writes...)
}

// break_ has requests go wrong from now on; nil all is well.
func (w *wire) break_(before func(method, path string) int, lost func(method, path string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before, w.lost = before, lost
}

// once fails the first request of a method whose path holds a text.
func once(method, part string, status int) func(string, string) int {
	done := false
	return func(m, path string) int {
		if done || m != method || !strings.Contains(path, part) {
			return 0
		}
		done = true
		return status
	}
}

// rig is a runner over a database and the partner cloud.
type rig struct {
	testing.TB
	*Runner
	lab   *labtest.Lab
	db    *db.DB
	v     *vault.Vault
	key   string
	trail *audittest.Recorder
	wire  *wire
	users []access.Subject

	config  Config
	gate    func(Ask) (*remedy.Gate, error)
	effects []remedy.Effect
	log     remedy.Log
	logErr  error
}

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{Books: Books()})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, key: path, lab: labtest.Start(t), db: d, v: v, trail: &audittest.Recorder{}}
	r.wire = &wire{c: control.Dial(r.lab.Info.Control, r.lab.Info.ControlSecret)}
	r.Runner = r.as("local:ada")
	var page struct {
		Value []struct {
			ID  string `json:"id"`
			UPN string `json:"userPrincipalName"`
		}
	}
	r.get("/v1.0/users?$top=100&$select=id,userPrincipalName", &page)
	for _, u := range page.Value {
		r.users = append(r.users, access.Subject{ID: u.ID, Name: u.UPN})
	}
	return r
}

// as is a process of its own, of a person.
func (r *rig) as(actor string) *Runner {
	r.Helper()
	c, err := New(r.deps(actor))
	r.ok(err)
	return c
}

func (r *rig) deps(actor string) Deps {
	return Deps{DB: r.db, Marks: r.v, Record: r.trail, Actor: actor, Now: r.lab.Now, Config: &r.config, Last: r.last,
		Cloud: func(context.Context, string, []string) (*Cloud, error) {
			return &Cloud{Graph: r.wire, Tenant: strings.ToLower(r.lab.Info.Tenant.ID)}, nil
		},
		Gate: func(_ context.Context, a Ask) (*remedy.Gate, error) {
			if r.gate != nil {
				return r.gate(a)
			}
			return &remedy.Gate{At: r.lab.Now(), Stage: a.To, Passed: true,
				Answers: []remedy.Answer{{Question: "mfa-every-sign-in", Before: "gap", After: "proved"}},
				Ways:    []remedy.Way{{ID: "x", Account: "breakglass1@partner.example", How: "a FIDO2 key, excluded from all policies"}}}, nil
		},
		Expand: func(_ context.Context, a Ask) ([]gate.Move, error) {
			return gate.Expand(a.Plan, a.From, a.To, &access.Tenant{Users: r.users})
		},
		Observed: func(_ context.Context, _, _ string, _ []string, since time.Time) ([]remedy.Effect, remedy.Log, error) {
			log := r.log
			if log.To.IsZero() {
				log = remedy.Log{From: since, To: r.lab.Now(), SignIns: 1000}
			}
			return r.effects, log, r.logErr
		},
	}
}

// last is what the trail says last.
func (r *rig) last(context.Context) (Word, error) {
	return func(run, about string) (out audit.Action) {
		for _, e := range r.trail.Events() {
			if e.Object == run && WordAbout(e.Action) == about && Tells(e.Action, e.Details) {
				out = e.Action
			}
		}
		return out
	}, nil
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err, problem.HintOf(err))
	}
}

func (r *rig) get(path string, into any) {
	r.Helper()
	a, err := r.wire.c.Graph(r.Context(), control.GraphCall{Method: "GET", Path: path})
	r.ok(err)
	if a.Status != 200 {
		r.Fatalf("%s: %d %s", path, a.Status, a.Body)
	}
	r.ok(json.Unmarshal(a.Body, into))
}

// do asks the cloud as somebody else.
func (r *rig) do(method, path, body string) json.RawMessage {
	r.Helper()
	a, err := r.wire.c.Graph(r.Context(), control.GraphCall{Method: method, Path: path, Body: json.RawMessage(body)})
	r.ok(err)
	if a.Status >= 300 {
		r.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	return a.Body
}

// settings are all settings of the tenant that plans change, in canonical form by path.
func (r *rig) settings() map[string]string {
	r.Helper()
	out := map[string]string{}
	lists := map[string]remedy.Kind{"/beta/identity/conditionalAccess/policies": remedy.Policy,
		"/v1.0/identity/conditionalAccess/namedLocations": remedy.Location, "/v1.0/policies/authenticationStrengthPolicies": remedy.Strength,
		"/v1.0/groups": remedy.Group}
	for path, kind := range lists {
		var page struct{ Value []json.RawMessage }
		r.get(path, &page)
		for _, raw := range page.Value {
			var in struct{ ID string }
			r.ok(json.Unmarshal(raw, &in))
			o, err := object.Canonical(kind, raw)
			r.ok(err)
			out[path+"/"+in.ID] = string(o)
		}
	}
	ones := map[string]remedy.Kind{object.Read(remedy.Defaults, ""): remedy.Defaults, object.Read(remedy.Methods, ""): remedy.Methods}
	for _, u := range r.users[:min(len(r.users), 5)] {
		ones[object.Read(remedy.PerUserMFA, u.ID)] = remedy.PerUserMFA
	}
	for path, kind := range ones {
		var raw json.RawMessage
		r.get(path, &raw)
		o, err := object.Canonical(kind, raw)
		r.ok(err)
		out[path] = string(o)
	}
	return out
}

// same wants settings as they were.
func (r *rig) same(was map[string]string) {
	r.Helper()
	is := r.settings()
	for path, o := range was {
		if is[path] != o {
			r.Errorf("%s\n was %s\n is  %s", path, o, is[path])
		}
	}
	for path := range is {
		if _, had := was[path]; !had {
			r.Errorf("%s was not there", path)
		}
	}
}

// plan makes a plan of steps.
func (r *rig) plan(change func(*remedy.Plan), steps ...remedy.Step) []byte {
	r.Helper()
	p := &remedy.Plan{Form: remedy.Form, ID: "k7m2q9", Goal: "mfa-every-sign-in", Made: r.lab.Now(), By: "local:ada", Program: "test", RuleBook: "test",
		Tenant: remedy.Tenant{ID: r.lab.Info.Tenant.ID, Cloud: "public"}, Basis: remedy.Basis{AsOf: r.lab.Now(), From: []string{"live"}},
		Serves: []string{"mfa-every-sign-in"}, Stages: []remedy.Stage{remedy.ReportOnly, remedy.Pilot, "10%", remedy.All},
		Wait: remedy.Wait{ReportOnly: 24 * time.Hour, Pilot: 24 * time.Hour, Share: 24 * time.Hour, SignIns: 10}}
	for i := range min(3, len(r.users)) {
		p.Pilot = append(p.Pilot, r.users[i].ID)
	}
	for i := range steps {
		steps[i].N = i + 1
		object.Complete(&steps[i])
		p.Steps = append(p.Steps, steps[i])
	}
	if change != nil {
		change(p)
	}
	var b bytes.Buffer
	r.ok(p.Write(&b))
	return b.Bytes()
}

func canonical(t testing.TB, kind remedy.Kind, text string) remedy.Object {
	t.Helper()
	o, err := object.Canonical(kind, json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// mfaPolicy is a policy that wants MFA of everybody.
func mfaPolicy(name string) string {
	return fmt.Sprintf(`{"displayName":%q,"state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},`+
		`"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, name)
}

// newPolicy is a staged step that makes a policy.
func (r *rig) newPolicy(name string) remedy.Step {
	return remedy.Step{Do: remedy.Create, Kind: remedy.Policy, Key: "policy-1", Name: name, Text: "make " + name,
		After:  canonical(r, remedy.Policy, mfaPolicy(name)),
		Staged: true}
}

// live is an object as it is, canonical.
func (r *rig) live(kind remedy.Kind, id string) remedy.Object {
	r.Helper()
	var raw json.RawMessage
	r.get(object.Read(kind, id), &raw)
	o, err := object.Canonical(kind, raw)
	r.ok(err)
	return o
}

// drive lets time pass until a run waits for nobody any more, or for so many looks.
func (r *rig) drive(c *Runner, run string, looks int) Status {
	r.Helper()
	for range looks {
		next, err := c.Do(r.Context(), run)
		r.ok(err)
		if next.IsZero() {
			break
		}
		r.lab.Jump(max(next.Sub(r.lab.Now()), time.Second))
	}
	return r.status(run)
}

func (r *rig) status(run string) Status {
	r.Helper()
	list, err := r.Status(r.Context(), run)
	r.ok(err)
	return list[0]
}

// approved applies a plan and has a second person approve it.
func (r *rig) approved(raw []byte, upto remedy.Stage) Run {
	r.Helper()
	run, err := r.Apply(r.Context(), raw, upto)
	r.ok(err)
	if run.State == Waiting {
		_, err = r.as("local:ben").Approve(r.Context(), run.ID)
		r.ok(err)
	}
	return run
}

func (s *Status) tell() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s: %s\n", s.State, s.Stage, s.Why)
	for i := range s.Steps {
		x := &s.Steps[i]
		fmt.Fprintf(&b, "  %d %s %s %s %s: %s %q\n", x.Seq, x.Stage, x.Step.Do, x.Step.Kind, x.ID, x.State, x.Words)
	}
	return b.String()
}

// signed is a plan that somebody signed, and the keys that count.
func (r *rig) signed(change func(*remedy.Plan), steps ...remedy.Step) ([]byte, func(context.Context) ([]note.Verifier, error)) {
	r.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "partnerguard.example")
	r.ok(err)
	signer, err := note.NewSigner(secret)
	r.ok(err)
	verifier, err := note.NewVerifier(public)
	r.ok(err)
	raw := r.plan(func(p *remedy.Plan) {
		if change != nil {
			change(p)
		}
		r.ok(remedy.Sign(p, signer))
	}, steps...)
	return raw, func(context.Context) ([]note.Verifier, error) { return []note.Verifier{verifier}, nil }
}
