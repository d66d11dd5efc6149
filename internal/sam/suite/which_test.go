package suite_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/audit"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/secret"
)

// TestWhichConnection: none, the only one, one of several, named.
func TestWhichConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	if _, err := r.Connection(ctx, ""); !errors.Is(err, problem.NotFound) || !strings.Contains(problem.HintOf(err), "partnerguard connect") {
		t.Errorf("none: %v", err)
	}
	one := r.known("one")
	for _, name := range []string{"", "one", one.ID} {
		if c, err := r.Connection(ctx, name); err != nil || c.ID != one.ID {
			t.Errorf("the only one as %q: %v %v", name, c.ID, err)
		}
	}
	two := r.known("two")
	if _, err := r.Connection(ctx, ""); !errors.Is(err, problem.Usage) || !strings.Contains(err.Error(), "2 connections") ||
		!strings.Contains(problem.HintOf(err), "one") || !strings.Contains(problem.HintOf(err), "two") {
		t.Errorf("several: %v (%s)", err, problem.HintOf(err))
	}
	if c, err := r.Connection(ctx, "two"); err != nil || c.ID != two.ID {
		t.Errorf("named: %v %v", c.ID, err)
	}
	if _, err := r.Connection(ctx, "three"); !errors.Is(err, problem.NotFound) {
		t.Errorf("named, and none: %v", err)
	}
	names, err := r.ConnectionNames(ctx)
	if slices.Sort(names); err != nil || !slices.Equal(names, []string{"one", "two"}) {
		t.Errorf("%v %v", names, err)
	}
}

const other = "0a1b2c3d-0000-4000-8000-000000000001"

// TestWhichApp: as [TestWhichConnection]; and with a local partner cloud its own
// apps are taken, and registered then.
func TestWhichApp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	if _, err := r.Registration(ctx, ""); !errors.Is(err, problem.NotFound) || problem.HintOf(err) == "" {
		t.Errorf("none: %v", err)
	}
	r.Register(r.Suite)
	for _, id := range []string{"", labtest.PanelApp, strings.ToUpper(labtest.PanelApp)} {
		if a, err := r.Registration(ctx, id); err != nil || a.ClientID != labtest.PanelApp {
			t.Errorf("the only one as %q: %v %v", id, a.ClientID, err)
		}
	}
	app := sam.Registration{ClientID: other, Tenant: "contoso.com", Kind: msapi.ClientSecret}
	if _, err := r.AddRegistration(ctx, app, secret.New("Secret-of-this-test-1")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Registration(ctx, ""); !errors.Is(err, problem.Usage) || !strings.Contains(err.Error(), "2 apps") ||
		!strings.Contains(problem.HintOf(err), other) {
		t.Errorf("several: %v (%s)", err, problem.HintOf(err))
	}
	if _, err := r.Registration(ctx, "0a1b2c3d-0000-4000-8000-000000000009"); !errors.Is(err, problem.NotFound) {
		t.Errorf("named, and none: %v", err)
	}
	ids, err := r.AppIDs(ctx)
	if slices.Sort(ids); err != nil || !slices.Equal(ids, []string{other, labtest.PanelApp}) {
		t.Errorf("%v %v", ids, err)
	}
	if said := r.said(audit.CredentialCreated); len(said) != 2 || said[0].Object != other || said[0].Details["how"] != "given" ||
		said[0].Actor != "local:test" {
		t.Errorf("the trail: %+v", said)
	}
	if err := r.RemoveRegistration(ctx, other); err != nil {
		t.Fatal(err)
	}
	if said := r.said(audit.CredentialRemoved); len(said) != 1 || said[0].Object != other {
		t.Errorf("the trail: %+v", said)
	}
	if err := r.RemoveRegistration(ctx, other); err == nil || len(r.said(audit.CredentialRemoved)) != 1 {
		t.Errorf("removed twice: %v", err)
	}
}

// TestWhichAppOfTheLab: the partner cloud's apps, of which only those with a
// secret can be taken.
func TestWhichAppOfTheLab(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	panel := suite.App{ClientID: labtest.PanelApp, Tenant: r.Info.Tenant.ID, Name: "Contoso Control Panel", Secret: r.Secret(labtest.PanelApp).Reveal()}
	bare := suite.App{ClientID: other, Tenant: r.Info.Tenant.ID, Name: "Contoso Control Panel"}
	for name, c := range map[string]struct {
		apps []suite.App
		id   string
		want string // "": not found
	}{
		"its sample app":       {[]suite.App{bare, panel}, "", panel.ClientID},
		"named":                {[]suite.App{bare, panel}, strings.ToUpper(panel.ClientID), panel.ClientID},
		"one without a secret": {[]suite.App{bare, panel}, other, ""},
		"none of that name":    {[]suite.App{{ClientID: other, Name: "Another", Secret: "x"}}, "", ""},
		"no app":               {nil, "", ""},
		"named, and it is not": {[]suite.App{panel}, "0a1b2c3d-0000-4000-8000-000000000009", ""},
		"another that is named": {[]suite.App{panel, {ClientID: other, Tenant: "contoso.com", Name: "Another", Secret: "Secret-of-this-test-1"}}, other,
			other},
		"a public one is no app": {[]suite.App{bare}, "", ""},
	} {
		r.open(func(d *suite.Deps) { d.Local = &suite.Local{Apps: c.apps} })
		a, err := r.Registration(ctx, c.id)
		if c.want == "" {
			if !errors.Is(err, problem.NotFound) || problem.HintOf(err) == "" {
				t.Errorf("%s: %v %v", name, a.ClientID, err)
			}
			continue
		}
		if err != nil || a.ClientID != c.want {
			t.Errorf("%s: %v %v", name, a.ClientID, err)
		}
		if ids, err := r.AppIDs(ctx); err != nil || !slices.Equal(ids, []string{c.want}) {
			t.Errorf("%s: registered are %v %v", name, ids, err)
		}
		if err := r.RemoveRegistration(ctx, c.want); err != nil {
			t.Fatal(name, err)
		}
	}
}

func TestBrowsable(t *testing.T) {
	t.Parallel()
	lab, real := newRig(t), newRig(t)
	lab.open(func(d *suite.Deps) { d.Local = &suite.Local{} })
	for address, want := range map[string]string{
		"https://localhost:8443/common/oauth2": "http://localhost:8443/common/oauth2",
		"https://localhost.evil.example:1/":    "https://localhost.evil.example:1/",
		"https://login.microsoftonline.com/x":  "https://login.microsoftonline.com/x",
		"http://localhost:1/":                  "http://localhost:1/",
	} {
		if got := lab.Browsable(address); got != want {
			t.Errorf("in the lab: %s becomes %s", address, got)
		}
		if got := real.Browsable(address); got != address {
			t.Errorf("%s becomes %s", address, got)
		}
	}
}
