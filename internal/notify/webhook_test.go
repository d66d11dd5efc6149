package notify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// TestVector: the signature is that of Standard Webhooks' own vector.
func TestVector(t *testing.T) {
	t.Parallel()
	got, err := notify.Sign(secret.New(reference), "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got, err)
	}
	if err := notify.CheckKey(notify.NewKey()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64", password} {
		if err := notify.CheckKey(secret.New(bad)); !errors.Is(err, problem.BadInput) || strings.Contains(err.Error(), password) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// receiver is a web server that keeps what it was sent and answers as it is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	heads  []http.Header
	bodies []string
	answer func(http.ResponseWriter, *http.Request)
}

func receive(t *testing.T, answer func(http.ResponseWriter, *http.Request)) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.heads, r.bodies = append(r.heads, q.Header), append(r.bodies, string(b))
		r.mu.Unlock()
		if r.answer != nil {
			r.answer(w, q)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// TestWebhook: the event is signed over what was sent, by both secrets while they are
// changed, with the message's id and the attempt's time.
func TestWebhook(t *testing.T) {
	t.Parallel()
	r := receive(t, nil)
	older := notify.NewKey()
	c := channel(t, notify.Setting{Webhook: r.URL + "/hook", Private: true, Secret: kept(t, reference), Previous: kept(t, older.Reveal())})
	if a, err := send(t, c, alarm()); err != nil || a.Status != "200" {
		t.Fatal(a, err)
	}
	h, body := r.heads[0], r.bodies[0]
	if h.Get("webhook-id") != "m-1" || h.Get("webhook-timestamp") != fmt.Sprint(at.Unix()) || h.Get("Content-Type") != "application/json" {
		t.Error(h)
	}
	var want []string
	for _, k := range []secret.Text{secret.New(reference), older} {
		s, err := notify.Sign(k, "m-1", at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, s)
	}
	if got := h.Get("webhook-signature"); got != strings.Join(want, " ") {
		t.Errorf("signed %s, want %s", got, want)
	}
	var e notify.Event
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.Schema != notify.EventSchema || e.ID != "m-1" || e.Type != "alert.opened" || e.Test ||
		e.Data.Alert != "a-1" || e.Data.Link != "https://guard.example/alerts?row=a-1" || len(e.Data.Items) != 1 {
		t.Errorf("%+v %v", e, err)
	}
}

// TestReceivers: what a receiver's answer means, whether it is tried again, and that no
// error has the address, which may be a secret.
func TestReceivers(t *testing.T) {
	t.Parallel()
	status := func(n int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(n)
			_, _ = io.WriteString(w, "token-of-the-answer")
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		status string
		last   bool
		after  time.Duration
		words  string
	}{
		"bad request":  {status(400), "400", true, 0, "did not take the message"},
		"unauthorized": {status(401), "401", false, 0, "lets nobody in"},
		"no such":      {status(404), "404", false, 0, "no such address"},
		"gone":         {status(410), "410", true, 0, "is gone"},
		"a trouble":    {status(503), "503", false, 0, "a trouble of its own"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "90"); w.WriteHeader(429) }, "429", false, 90 * time.Second,
			"takes no more"},
		"for ever": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "99999999999")
			w.WriteHeader(429)
		}, "429", false, 0,
			"takes no more"},
		"elsewhere": {func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "http://169.254.169.254/latest", http.StatusTemporaryRedirect)
		},
			"307", false, 0, "sends on to another address"},
		"closes": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := http.NewResponseController(w).Hijack()
			_ = c.Close()
		}, "", false, 0, "cut the connection"},
		"no web server": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(c, "220 smtp token-of-the-answer\r\n")
			_ = c.Close()
		}, "", false, 0, "does not answer as a web server"},
		"an answer without end": {func(w http.ResponseWriter, _ *http.Request) {
			for range 100 {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, "200", false, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := receive(t, c.answer)
			ch := channel(t, notify.Setting{Teams: kept(t, r.URL+"/workflows/sig-of-the-address"), Private: true})
			a, err := send(t, ch, alarm())
			if c.words == "" {
				if err != nil || a.Status != c.status {
					t.Fatal(a, err)
				}
				return
			}
			f, is := errors.AsType[*notify.Failure](err)
			if !is || f.Status != c.status || f.Last != c.last || f.After != c.after || !strings.Contains(err.Error(), c.words) ||
				problem.HintOf(f.Unwrap()) == "" {
				t.Fatalf("%+v %v", f, err)
			}
			if all := err.Error() + problem.HintOf(f.Unwrap()) + ch.Where(); strings.Contains(all, "sig-of") || strings.Contains(all, "token-of") {
				t.Error("a secret is told: ", all)
			}
			if name == "elsewhere" && len(r.bodies) != 1 {
				t.Error("followed")
			}
		})
	}
}

// TestSlow: a receiver that never answers does not hold anything up for ever.
func TestSlow(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits 20 s")
	}
	r := receive(t, func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-q.Context().Done():
		case <-time.After(40 * time.Second):
		}
	})
	begun := time.Now()
	_, err := send(t, channel(t, notify.Setting{Webhook: r.URL, Private: true, Secret: kept(t, reference)}), alarm())
	if err == nil || !strings.Contains(err.Error(), "did not answer within 20s") || time.Since(begun) > 30*time.Second {
		t.Error(err, time.Since(begun))
	}
}

// TestInside: nothing goes to this machine or a private network unless the setting says
// so, by whatever name; a proxy is asked for nothing inside either.
func TestInside(t *testing.T) {
	t.Parallel()
	r := receive(t, nil)
	host := strings.TrimPrefix(r.URL, "http://")
	_, port, _ := net.SplitHostPort(host)
	for _, address := range []string{"https://127.0.0.1:" + port, "https://localhost:" + port, "https://[::1]:" + port, "https://10.0.0.1/x",
		"https://169.254.169.254/latest",
		"https://[::ffff:127.0.0.1]:" + port, "https://[64:ff9b::7f00:1]/"} {
		_, err := send(t, channel(t, notify.Setting{Slack: kept(t, address)}), alarm())
		if err == nil || !strings.Contains(err.Error(), "private network") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if len(r.bodies) > 0 {
		t.Error("it was reached")
	}
	for _, a := range []string{"127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1",
		"fc00::1", "::",
		"224.0.0.1", "255.255.255.255", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2001:db8::1", "198.18.0.1", "2002:7f00:1::", "::7f00:1", "fec0::1"} {
		if notify.Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is of the internet", a)
		}
	}
	for _, a := range []string{"20.190.160.1", "2603:1026::1", "8.8.8.8", "64:ff9b::808:808"} {
		if !notify.Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is not of the internet", a)
		}
	}
}

// TestSecretsAreRead: a secret that is not there, is no key or no address is an error
// that names the setting and not the secret.
func TestSecretsAreRead(t *testing.T) {
	t.Parallel()
	r := receive(t, nil)
	for name, s := range map[string]notify.Setting{
		"no file":    {Webhook: r.URL, Private: true, Secret: "file:/nowhere/at/all"},
		"no key":     {Webhook: r.URL, Private: true, Secret: kept(t, password)},
		"no address": {Slack: kept(t, "hooks.slack.com/"+password), Private: true},
		"plain http": {Slack: kept(t, "http://hooks.slack.com/"+password), Private: true},
		"no vault":   {Slack: "vault:slack"},
	} {
		_, err := send(t, channel(t, s), alarm())
		if err == nil || strings.Contains(err.Error()+problem.HintOf(err), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSettings: what cannot be a channel is refused, with what to do, and no secret that
// somebody wrote into the file is shown.
func TestSettings(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]notify.Setting{
		"no name":               {Syslog: "udp://h:514"},
		"a name with a space":   {Name: "on call", Syslog: "udp://h:514"},
		"nothing":               {Name: "a"},
		"two kinds":             {Name: "a", Syslog: "udp://h:514", Slack: "file:/x"},
		"teams by its address":  {Name: "a", Teams: "https://x.logic.azure.com/" + password},
		"a password itself":     {Name: "a", Mail: "smtps://h", From: "a@b.example", To: []string{"c@d.example"}, User: "u", Secret: password},
		"a webhook unsigned":    {Name: "a", Webhook: "https://h/x"},
		"a webhook by http":     {Name: "a", Webhook: "http://h/x", Secret: "file:/x"},
		"a webhook with a user": {Name: "a", Webhook: "https://u:" + password + "@h/x", Secret: "file:/x"},
		"a mail to nobody":      {Name: "a", Mail: "smtps://h", From: "a@b.example"},
		"a mail to a header":    {Name: "a", Mail: "smtps://h", From: "a@b.example", To: []string{"c@d.example\r\nBcc: x@y.example"}},
		"a subject for slack":   {Name: "a", Slack: "file:/x", Subject: "x"},
		"a template's word":     {Name: "a", Mail: "smtps://h", From: "a@b.example", To: []string{"c@d.example"}, Body: "{{.Secret}}"},
		"a template unclosed":   {Name: "a", Mail: "smtps://h", From: "a@b.example", To: []string{"c@d.example"}, Subject: "{{.Title"},
		"a template too long":   {Name: "a", Mail: "smtps://h", From: "a@b.example", To: []string{"c@d.example"}, Body: strings.Repeat("x", 40<<10)},
		"a private syslog":      {Name: "a", Syslog: "udp://h:514", Private: true},
	} {
		c := notify.Config{Channels: []notify.Setting{s}}
		err := c.Check(func(name, format string, args ...any) *problem.Error {
			return problem.New(problem.Usage, "%s: %s", name, fmt.Sprintf(format, args...))
		})
		if !errors.Is(err, problem.Usage) || strings.Contains(err.Error()+problem.HintOf(err), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o, err := notify.New(notify.Deps{DB: dbtest.SQLite(t), Now: func() time.Time { return at }, Config: &notify.Config{Channels: []notify.Setting{
		{Name: "a", Syslog: "tls://h:6514", Roots: "/nowhere/roots.pem"}}}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := o.Channels(t.Context())
	if err != nil || len(list) != 1 || !strings.Contains(list[0].Broken, "/nowhere/roots.pem") {
		t.Error(list, err)
	}
}
