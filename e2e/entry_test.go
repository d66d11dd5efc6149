//go:build browser

package e2e

import (
	"context"
	"crypto/x509"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/config"
	"partnerguard/internal/console"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/web"
)

// consoleOf serves the console of an installation that is connected to the lab, and gives
// its address.
func consoleOf(t *testing.T, lab *labtest.Lab) (*app.Installation, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	public := "http://" + strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)
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
	if _, _, err := in.ConnectLab(t.Context()); err != nil {
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
	return in, public
}

func path(t *testing.T, p *tab) string { return eval[string](t, p, `return location.pathname`) }

// Somebody comes in with MFA, by keyboard, and is at the page that they asked for; what
// the browser has of it says nothing and no script sees it.
func TestConsoleEntry(t *testing.T) {
	lab := labtest.Start(t)
	_, public := consoleOf(t, lab)
	p := open(t, browser(t), public+"/sessions", 1280, "light")
	if at := here(t, p); at != "form: Sign in" || path(t, p) != "/signin" {
		t.Fatalf("at %q, %s", at, path(t, p))
	}
	fits(t, p, "entry-sign-in")
	enter(t, p, "", "")
	at := answerPages(t, p, lab.Person(labtest.Admin), func(string) {})
	if path(t, p) != "/sessions" || !strings.Contains(at, "Sessions") {
		t.Fatalf("it ended at %q, %s: %s", at, path(t, p), eval[string](t, p, `return document.body.innerText`))
	}
	if text := eval[string](t, p, `return document.body.innerText`); !strings.Contains(text, labtest.Admin) {
		t.Error(text)
	}
	if c := eval[string](t, p, `return document.cookie`); c != "" {
		t.Errorf("a script sees %q", c)
	}
}

// Whom no policy asks for a second factor is sent to step up, and comes in with it.
func TestConsoleStepUp(t *testing.T) {
	lab := labtest.Start(t)
	_, public := consoleOf(t, lab)
	lab.Edit(func(_ *world.State, te *world.Tenant) { te.Policies = world.Table[world.Document, *world.Document]{} })
	p := open(t, browser(t), public+"/sessions", 1280, "light")
	enter(t, p, "", "")
	at := answerPages(t, p, lab.Person(labtest.Admin), func(string) {})
	if at != "form: Prove MFA" {
		t.Fatalf("it ended at %q: %s", at, eval[string](t, p, `return document.body.innerText`))
	}
	fits(t, p, "entry-step-up")
	enter(t, p, "", "")
	if at = answerPages(t, p, lab.Person(labtest.Admin), func(string) {}); path(t, p) != "/sessions" {
		t.Fatalf("it ended at %q, %s", at, path(t, p))
	}
}

// Who has no role is refused with the way in, and the operator comes in by a link, once.
func TestConsoleRefusedAndLink(t *testing.T) {
	lab := labtest.Start(t)
	in, public := consoleOf(t, lab)
	p := open(t, browser(t), public+"/", 1280, "light")
	enter(t, p, "", "")
	if at := answerPages(t, p, lab.Person(labtest.SAMAgent), func(string) {}); at != "page: Not signed in" {
		t.Fatalf("it ended at %q", at)
	}
	fits(t, p, "entry-no-role")
	link, err := in.Console.Link(t.Context(), "local:test", public)
	if err != nil {
		t.Fatal(err)
	}
	root := browser(t)
	p = open(t, root, link, 1280, "light")
	if at := here(t, p); at != "form: Open the console" {
		t.Fatalf("at %q", at)
	}
	fits(t, p, "entry-link")
	enter(t, p, "", "")
	here(t, p)
	if path(t, p) == "/signin" || strings.HasPrefix(path(t, p), "/signin/") {
		t.Fatalf("at %s", path(t, p))
	}
	p = open(t, browser(t), link, 1280, "light")
	if at := here(t, p); at != "page: Not signed in" {
		t.Errorf("the link works twice: %q", at)
	}
	list, err := in.Console.Sessions(t.Context())
	if err != nil || len(list) != 1 || list[0].Way != console.ByLink {
		t.Errorf("%+v %v", list, err)
	}
}
