package msapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/intake"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
)

// may gives the panel these delegated permissions of Graph in a tenant, and no
// others.
func (l *lab) may(tenant string, scopes ...string) {
	l.Helper()
	l.rights++
	found := false
	l.s.World.Do(func(s *world.State) error {
		t := s.Tenant(tenant)
		client, res := t.SP(panelApp), t.SP(entra.AppGraph)
		for g := range t.Grants.All() {
			if client != nil && res != nil && g.Client == client.ID && g.Resource == res.ID {
				t.Grants.Change(g.ID, func(g *world.Grant) { g.Scopes, found = scopes, true })
				return nil
			}
		}
		return nil
	})
	if !found {
		l.Fatal("the panel has no grant")
	}
}

// walked gathers what a walk gives.
func (l *lab) walked(t *testing.T, target msapi.Target, r evidence.Resource, s msapi.Span, w msapi.Resume) (out []*msapi.Answer, err error) {
	t.Helper()
	for a, err := range l.c.Walk(t.Context(), target, r, s, w) {
		if err != nil {
			return out, err
		}
		out = append(out, a)
	}
	return out, nil
}

// lately is the span that the tests read a log over.
func (l *lab) lately() msapi.Span {
	now := l.s.World.Clock.Now().Truncate(time.Second)
	return msapi.Span{From: now.Add(-20 * time.Hour), To: now}
}

// Every row answers to an administrator who has the row's permissions and no
// others, is refused as a fact without them, and is understood by the reader.
func TestEveryResourceAnswers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	partner, customer := l.targetOf(l.i.Tenant.ID, admin), l.targetOf(l.customer("fabrikam.example"), samAgent)
	var groups []string
	l.s.World.Read(func(s *world.State) {
		for g := range s.PartnerTenant().Groups.All() {
			groups = append(groups, g.ID)
		}
	})
	everybody := []string{"User.Read", "openid", "offline_access"}
	for _, r := range evidence.Resources() {
		span, target, from := msapi.Span{}, partner, msapi.Resume{}
		if r.Service == evidence.ARM {
			target = customer
		}
		if strings.Contains(r.Query, "{id}") {
			from.Items = groups
		}
		if r.Way == evidence.Sliced {
			span = l.lately()
		}
		l.may(l.i.Tenant.ID, slices.Concat(everybody, r.Permissions)...)
		pages, err := l.walked(t, target, r, span, from)
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		if len(pages) == 0 {
			t.Errorf("%s: no answer", r.Name)
			continue
		}
		understood(t, r, pages)
		if len(r.Permissions) == 0 || r.Kind == evidence.Organization { // which User.Read reads too
			continue
		}
		l.may(l.i.Tenant.ID, everybody...)
		pages, err = l.walked(t, target, r, span, from)
		var no *msapi.Refused
		if !errors.As(err, &no) || no.Reason != msapi.ReasonPermission || !strings.Contains(no.Needs, r.Permissions[0]) {
			t.Errorf("%s without its permission: %v", r.Name, err)
		}
		if len(pages) != 1 || pages[0].Status != 403 {
			t.Errorf("%s: the refusal is %d answers", r.Name, len(pages))
		}
	}
}

// nowhere takes records and keeps none.
type nowhere struct{}

func (nowhere) Record(evidence.Kind, []byte, evidence.Source) (string, error) { return "", nil }

func (nowhere) SignInLines(context.Context, io.Reader, string, func([]byte, evidence.Source) error, func(evidence.Note)) (int, error) {
	return 0, errors.New("a page is no lines")
}

// understood holds pages against the reader of exports: of the first kind that it
// finds, and without a complaint.
func understood(t *testing.T, r evidence.Resource, pages []*msapi.Answer) {
	t.Helper()
	dir := t.TempDir()
	want := map[evidence.Kind]bool{r.Kind: true}
	if r.Each != nil && r.Each.Into != "" { // members, which are of any kind
		want = map[evidence.Kind]bool{evidence.User: true, evidence.Group: true, evidence.ServicePrincipal: true}
	}
	for i, a := range pages {
		if a.Status != 200 || a.Number != i || a.RequestID == "" && a.Of == "" || !json.Valid(a.Body) || len(a.Position) > 8<<10 || a.Position == "" {
			t.Errorf("%s: answer %d: %d %q", r.Name, i, a.Status, a.Request)
		}
		if a.Of == "" && r.Each != nil {
			continue // the list of items, which is another row's
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.json", i))
		if err := os.WriteFile(path, a.Body, 0o600); err != nil {
			t.Fatal(err)
		}
		if i > 20 {
			break
		}
	}
	last := pages[len(pages)-1]
	if !last.Last {
		t.Errorf("%s: the last answer does not say so", r.Name)
	}
	inputs, err := intake.Read(t.Context(), intake.Options{}, []string{dir}, nowhere{})
	if err != nil {
		t.Fatal(r.Name, err)
	}
	for _, in := range inputs {
		if in.Status != evidence.Read && !(in.Status == evidence.NotRecognised && strings.Contains(fmt.Sprint(in.Notes), "an empty list")) &&
			!in.NextLink {
			t.Errorf("%s: %s: %+v", r.Name, in.Status, in.Notes)
		}
		for k := range in.Kinds {
			if !want[k] {
				t.Errorf("%s: %s is read as %s", r.Name, filepath.Base(in.Path), k)
			}
		}
	}
}

// A tenant without Entra ID P1 refuses what needs it for that reason, and what is
// named instead is there.
func TestWalkWithoutLicence(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	target := l.targetOf(l.i.Tenant.ID, admin)
	l.Edit(func(_ *world.State, te *world.Tenant) { te.SKUs = nil })
	l.may(l.i.Tenant.ID, "User.Read", "AuditLog.Read.All", "Directory.Read.All", "Policy.Read.All", "RoleEligibilitySchedule.Read.Directory",
		"RoleAssignmentSchedule.Read.Directory", "IdentityRiskyUser.Read.All", "IdentityRiskEvent.Read.All", "RoleManagement.Read.Directory",
		"PrivilegedEligibilitySchedule.Read.AzureADGroup", "PrivilegedAssignmentSchedule.Read.AzureADGroup", "User.Read.All")
	for _, r := range evidence.Resources() {
		if r.Licence == evidence.Free {
			continue
		}
		pages, err := l.walked(t, target, r, l.lately(), msapi.Resume{Items: []string{aTenant}})
		var no *msapi.Refused
		if !errors.As(err, &no) || no.Reason != msapi.ReasonLicence || len(pages) != 1 || pages[0].Status != 403 {
			t.Errorf("%s: %d answers, %v", r.Name, len(pages), err)
			continue
		}
		if needs := "Entra ID " + strings.ToUpper(string(r.Licence)); no.Needs != needs || !strings.Contains(err.Error(), "the tenant has no "+needs) {
			t.Errorf("%s: %v needs %q", r.Name, err, no.Needs)
		}
		free := 0
		for _, name := range r.Fallback {
			other := resource(t, name)
			if other.Licence != evidence.Free {
				continue
			}
			free++
			if got, err := l.walked(t, target, other, l.lately(), msapi.Resume{}); err != nil || len(got) == 0 || !got[len(got)-1].Last {
				t.Errorf("%s instead of %s: %v", name, r.Name, err)
			}
		}
		if free == 0 && !r.Nobody && r.Licence == evidence.P1 {
			t.Errorf("%s: nothing says anything of it without a licence", r.Name)
		}
	}
}
