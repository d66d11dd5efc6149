//go:build browser

package e2e

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/config"
	"partnerguard/internal/labtest"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/web"
)

// answerPages goes through the sign-in pages as a person and gives the heading
// of the page that is none of them. Each page is looked at.
func answerPages(t *testing.T, p *tab, who labtest.Person, look func(string)) string {
	t.Helper()
	way := []string{}
	for range 12 {
		at := here(t, p)
		way = append(way, at)
		look(at)
		switch {
		case at == "account":
			enter(t, p, `input[autocomplete~="username"]`, who.UPN)
		case at == "password":
			enter(t, p, `input[autocomplete="current-password"]`, who.Password)
		case at == "code":
			enter(t, p, `input[autocomplete="one-time-code"]`, who.Code())
		case strings.HasPrefix(at, "form: Stay"), strings.HasPrefix(at, "form: Connect"):
			enter(t, p, "", "")
		default:
			return at
		}
	}
	t.Fatalf("the pages do not end: %v\n%s", way, eval[string](t, p, `return document.body.innerText`))
	return ""
}

// An invited partner opens the link, signs in with MFA, and is connected; the
// link works once.
func TestInvitedPartner(t *testing.T) {
	lab := cloud(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	public := "http://" + l.Addr().String()
	panel := lab.Info.Apps[0]
	lab.Redirect(panel.ClientID, public+onboard.Callback) // one of the app's redirect URIs

	dir := t.TempDir()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(lab.Server.CA.PEM())
	c, err := config.Load(config.Source{Flags: map[string]string{"data": dir, "master-key": "file:" + filepath.Join(dir, "key"), "cloud": app.LabName},
		Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	c.Web.PublicURL = public
	in, err := app.Open(t.Context(), app.Options{
		Config: c, Actor: "local:test", Now: time.Now, Getenv: func(string) string { return "" },
		Lab: &app.Lab{Info: &lab.Info, Roots: roots, Clock: func(context.Context) (time.Time, error) { return lab.Now(), nil }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := in.SAM.Registration(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	h, err := in.Serve(t.Context(), app.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(serving, web.Options{Listener: l, Handler: h}) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	invite := func() string {
		t.Helper()
		_, link, err := in.SAM.Invite(t.Context(), onboard.Invitation{Tenant: lab.Info.Tenant.Domain, ClientID: panel.ClientID,
			Features: []capture.Feature{capture.Customers, capture.Forecast}}, 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	root := browser(t)
	look := func(p *tab) func(string) {
		return func(at string) {
			if strings.HasPrefix(at, "form: Connect") || strings.HasPrefix(at, "page: ") {
				fits(t, p, strings.ToLower(strings.NewReplacer("form: ", "connect-", "page: ", "connect-", " ", "-").Replace(at)))
			}
		}
	}
	link := invite()
	p := open(t, root, link, 1280, "light")
	if at := answerPages(t, p, lab.Person(labtest.SAMAgent), look(p)); at != "page: Connected" {
		t.Fatalf("it ended at %q: %s", at, eval[string](t, p, `return document.body.innerText`))
	}
	list, err := in.SAM.Store.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Model != "cpv" || list[0].Account != labtest.SAMAgent {
		t.Fatalf("%+v %v", list, err)
	}
	p = open(t, root, link, 1280, "light")
	if at := answerPages(t, p, lab.Person(labtest.SAMAgent), look(p)); at != "page: Not connected" {
		t.Errorf("the link works twice: %q", at)
	}
	if res, err := http.Get(public + "/healthz"); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("healthz: %v", err)
	}
	if r, err := in.Trail.Verify(t.Context(), nil); err != nil || r.Err() != nil {
		t.Errorf("trail: %v %+v", err, r)
	}
}
