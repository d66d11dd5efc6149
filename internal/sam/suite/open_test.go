package suite_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/audit"
	"partnerguard/internal/labtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/web"
)

// TestAcceptBehind: in a database that is older than this machine saw it, no
// connection is used and none is accepted alone; as a whole it is, and stays so.
func TestAcceptBehind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	c := r.connect()
	if n := r.Notes(); len(n) != 0 {
		t.Errorf("a new one: %v", n)
	}
	if done, not, err := r.AcceptAll(ctx); err != nil || len(done)+len(not) != 0 {
		t.Errorf("nothing is held back: %v %v %v", done, not, err)
	}
	r.close()
	if err := os.WriteFile(r.deps.Seen, []byte(`{"seq":1000000,"hash":"x","at":"2026-11-22T04:00:00Z"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	r.open()
	if n := r.Notes(); len(n) != 1 || !strings.Contains(n[0], "older than it was") || !strings.Contains(n[0], "connect accept --all") {
		t.Errorf("%v", n)
	}
	if said := r.said(audit.DatabaseOlder); len(said) != 1 || said[0].Outcome != audit.Refused {
		t.Errorf("the trail: %+v", said)
	}
	if _, err := r.Store.Token(ctx, c.ID); err == nil {
		t.Error("its token is used")
	}
	if _, err := r.Accept(ctx, c.Name); !errors.Is(err, problem.Usage) || !strings.Contains(problem.HintOf(err), "accept --all") {
		t.Errorf("alone: %v (%s)", err, problem.HintOf(err))
	}
	done, not, err := r.AcceptAll(ctx)
	if err != nil || len(not) != 0 || len(done) != 1 || done[0].ID != c.ID {
		t.Fatalf("%v %v %v", done, not, err)
	}
	if _, err := r.Store.Token(ctx, c.ID); err != nil {
		t.Errorf("accepted: %v", err)
	}
	said := r.said(audit.ConnectionAccepted)
	if len(said) != 1 || said[0].Object != c.ID || said[0].Details["account"] != labtest.SAMAgent || said[0].Details["app"] != labtest.PanelApp ||
		len(r.said(audit.DatabaseAccepted)) != 1 {
		t.Errorf("the trail: %+v", said)
	}
	r.open()
	if n := r.Notes(); len(n) != 0 {
		t.Errorf("opened again: %v", n)
	}
	if _, err := r.Store.Token(ctx, c.ID); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

// TestAcceptOne: a connection whose row lost its mark is held back, and taken on
// a person's word; one whose row says another account cannot be.
func TestAcceptOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	c, other := r.known("one"), r.known("two")
	edit := func(text string, args ...any) {
		t.Helper()
		if _, err := r.d.ExecContext(ctx, text, args...); err != nil {
			t.Fatal(err)
		}
	}
	edit("UPDATE connections SET mark = x'' WHERE id = $1", c.ID)
	edit("UPDATE connections SET mark = x'', body = replace(body, 'two@contoso.com', 'eve@contoso.com'), account = 'eve@contoso.com' WHERE id = $1", other.ID)
	edit("UPDATE connections SET body = replace(body, $1, $2), tenant = $2 WHERE id = $3", other.Tenant, "99999999-0f6a-4f2f-9a41-3f1d6f0c9e21", other.ID)
	if _, err := r.Store.Token(ctx, c.ID); err == nil {
		t.Error("a row without a mark is used")
	}
	done, not, err := r.AcceptAll(ctx)
	if err != nil || len(done) != 1 || done[0].ID != c.ID || len(not) != 1 || !strings.HasPrefix(not[0].Error(), "two: ") {
		t.Errorf("%v %v %v", done, not, err)
	}
	if _, err := r.Store.Token(ctx, c.ID); err != nil {
		t.Errorf("accepted: %v", err)
	}
	if _, err := r.Accept(ctx, "nobody"); !errors.Is(err, problem.NotFound) {
		t.Errorf("none: %v", err)
	}
	if said := r.said(audit.ConnectionAccepted); len(said) != 1 || said[0].Object != c.ID {
		t.Errorf("the trail: %+v", said)
	}
}

// TestMount: the endpoint of tokens refuses everybody without a policy, and the
// pages of invitations are there only where somebody can reach them.
func TestMount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mounted := func(o suite.Callers) (*web.Kernel, []string) {
		t.Helper()
		k := web.NewKernel(web.Deps{})
		r.Admit(o)
		if err := r.Mount(k); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, x := range k.Routes() {
			names = append(names, x.Name)
		}
		slices.Sort(names)
		return k, names
	}
	get := func(k *web.Kernel, method, where string) *http.Response {
		w := httptest.NewRecorder()
		k.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, where, nil))
		return w.Result()
	}
	k, names := mounted(suite.Callers{})
	if !slices.Equal(names, []string{"broker.token"}) {
		t.Errorf("not reached from outside: %v", names)
	}
	if a := get(k, http.MethodGet, "/msi/token?resource=https://graph.microsoft.com"); a.StatusCode != http.StatusForbidden {
		t.Errorf("without a policy: %d", a.StatusCode)
	}
	invitation := onboard.Invitation{Tenant: r.Info.Tenant.Domain, ClientID: labtest.PanelApp}
	if _, _, err := r.Invite(t.Context(), invitation, time.Hour); !errors.Is(err, problem.Usage) || !strings.Contains(problem.HintOf(err), "publicURL") {
		t.Errorf("nobody can be invited: %v", err)
	}

	r.open(func(d *suite.Deps) { d.Public = "https://guard.example" })
	r.Register(r.Suite)
	p, err := broker.ParsePolicy("policy", []byte("version: 1\ncallers:\n  - name: a\n    "+
		"certificate: {spki: sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=}\n"+
		"    grants:\n      - {connection: c-1, tenants: [partner], resources: [graph], approval: {by: [\"local:ada\"], for: 4h}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	k, names = mounted(suite.Callers{Policy: p})
	if !slices.Equal(names, []string{"broker.token", "connect.callback", "connect.done", "connect.invitation"}) {
		t.Errorf("reached from outside: %v", names)
	}
	i, link, err := r.Invite(t.Context(), invitation, time.Hour)
	if err != nil || i.Tenant != r.Info.Tenant.ID || i.MadeBy != "local:test" || !strings.HasPrefix(link, "https://guard.example"+onboard.Prefix) {
		t.Fatalf("%+v %q %v", i, link, err)
	}
	if a := get(k, http.MethodGet, link); a.StatusCode != http.StatusOK {
		t.Errorf("the invitation: %d", a.StatusCode)
	}
	a := get(k, http.MethodPost, link)
	if where := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(where, r.Info.Login+"/"+r.Info.Tenant.ID) {
		t.Errorf("it leads to %d %s", a.StatusCode, where)
	}
	if list, err := r.Invitations(t.Context()); err != nil || len(list) != 1 || list[0].ID != i.ID {
		t.Errorf("%+v %v", list, err)
	}
	if err := r.Withdraw(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	if a := get(k, http.MethodGet, link); a.StatusCode != http.StatusNotFound {
		t.Errorf("withdrawn: %d", a.StatusCode)
	}
	for _, a := range []audit.Action{audit.InvitationMade, audit.InvitationWithdrawn} {
		if said := r.said(a); len(said) != 1 || said[0].Object != i.ID {
			t.Errorf("%s: %+v", a, said)
		}
	}
	if _, _, err := r.Invite(t.Context(), onboard.Invitation{Tenant: "nobody.example"}, time.Hour); err == nil {
		t.Error("a tenant that is none is invited")
	}
}

// TestMetrics: connections by state, and the first end among those in use.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	gathered := func() map[string]float64 {
		t.Helper()
		reg := prometheus.NewPedanticRegistry()
		r.Metrics(reg)
		list, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, f := range list {
			for _, m := range f.Metric {
				name := f.GetName()
				for _, l := range m.Label {
					name += fmt.Sprintf("{%s=%s}", l.GetName(), l.GetValue())
				}
				out[name] = m.Gauge.GetValue()
			}
		}
		return out
	}
	const active, end = "partnerguard_connections{state=active}", "partnerguard_connections_next_end_timestamp_seconds"
	if m := gathered(); len(m) != 1 || m[active] != 0 {
		t.Errorf("nothing yet: %v", m)
	}
	soon := r.Now().Add(time.Hour).Truncate(time.Second)
	for i, name := range []string{"ends last", "ends first", "rejected", "unforetold"} {
		c := r.known(fmt.Sprint("c", i))
		f := sam.Forecast{At: []time.Time{soon.Add(5 * time.Hour), soon.Add(time.Hour), soon, {}}[i]}
		if _, err := r.Store.SetForecast(ctx, c.ID, c.Generation, f); err != nil {
			t.Fatal(name, err)
		}
		if name == "rejected" {
			if _, err := r.Store.Failed(ctx, c.ID, sam.Failure{From: c.Generation, State: sam.Rejected, Trouble: sam.Trouble{At: r.Now()}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	m := gathered()
	if m[active] != 3 || m["partnerguard_connections{state=rejected}"] != 1 || m[end] != float64(soon.Add(time.Hour).Unix()) {
		t.Errorf("%v, want the end at %d", m, soon.Add(time.Hour).Unix())
	}
}
