//go:build browser

package provider_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/msapi"
)

// atOnce answers each challenge as soon as it comes.
type atOnce struct{ p *provider.Provider }

func (a *atOnce) Begin(_ context.Context, w http.ResponseWriter, r *http.Request, c mfa.Challenge, payload []byte) error {
	return a.p.Answer(w, r, c, payload, mfa.Outcome{AMR: "otp"})
}

// browse opens an address in Chromium and gives the page where it ends; with shot the
// picture of it instead.
func browse(t *testing.T, where, shot string, more ...string) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing")
		}
		t.Skip("no chromium: the page was NOT looked at in a browser")
	}
	args := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
		"--user-data-dir=" + t.TempDir(), "--virtual-time-budget=5000"}, more...)
	if shot != "" {
		args = append(args, "--screenshot="+shot)
	} else {
		args = append(args, "--dump-dom")
	}
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, path, append(args, where)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestInBrowser has Chromium go from one site's page to ours and on to that site again,
// which then sends it elsewhere: our policy must let the form go, and the site's redirect
// too.
func TestInBrowser(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	end := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<p>the application") }))
	defer end.Close()
	var got map[string][]string
	var us *httptest.Server
	// Entra ID, at a site of its own.
	entra := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == provider.ReturnPath {
			_ = q.ParseForm()
			got = q.PostForm
			http.Redirect(w, q, end.URL, http.StatusSeeOther)
			return
		}
		s := r.request()
		w.Header().Set("Content-Type", "text/html")
		base := "http://" + q.Host
		s.body["iss"] = base + "/" + tenant + "/v2.0"
		s.form.Set("redirect_uri", base+provider.ReturnPath)
		s.form.Set("id_token_hint", s.hint())
		fmt.Fprintf(w, `<form id="f" method="post" action="%s/mfa/authorize">`, us.URL)
		for name := range s.form {
			fmt.Fprintf(w, `<input type="hidden" name="%s" value="%s">`, name, html.EscapeString(s.form.Get(name)))
		}
		fmt.Fprint(w, `</form><script>document.getElementById("f").submit()</script>`)
	}))
	defer entra.Close()
	asker := &atOnce{}
	cloud := msapi.Commercial()
	cloud.Authority = strings.Replace(entra.URL, "127.0.0.1", "localhost", 1) // another site than ours
	p, err := provider.New(provider.Deps{DB: r.db, Record: r.trail, Vault: r.vault, Entra: r.ring, Cloud: cloud, Public: public, Challenger: asker,
		Config: &r.config, Now: func() time.Time { return r.now }})
	r.ok(err)
	asker.p = p
	k := r.kernel(p)
	script := true
	us = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/mfa/post.js" && !script {
			http.NotFound(w, q)
			return
		}
		k.ServeHTTP(w, q)
	}))
	defer us.Close()
	if page := browse(t, cloud.Authority, ""); !strings.Contains(page, "the application") || len(got["id_token"]) != 1 || got["state"][0] != "state<1>" {
		t.Errorf("it did not come through: %v, %s", len(got["id_token"]), page[:min(len(page), 2000)])
	}
	script = false // and by the button alone
	page := browse(t, cloud.Authority, "")
	if !strings.Contains(page, `<button class="btn pri wide" type="submit">Go on</button>`) {
		t.Error("without script there is no button")
	}
	if dir := os.Getenv("PC_SHOTS"); dir != "" {
		browse(t, cloud.Authority, filepath.Join(dir, "post-wide.png"), "--window-size=1280,760")
		browse(t, cloud.Authority, filepath.Join(dir, "post-dark.png"), "--window-size=500,760", "--blink-settings=preferredColorScheme=0")
	}
}
