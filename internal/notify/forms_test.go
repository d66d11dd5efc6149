package notify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	stdmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/emersion/go-smtp"

	"partnerguard/internal/notify"
	"partnerguard/internal/notify/syslog"
	"partnerguard/internal/problem"
)

// read is a mail as a person's program reads it.
func read(t *testing.T, raw string) (*stdmail.Message, string) {
	t.Helper()
	m, err := stdmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var body io.Reader = m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(m.Body)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return m, string(b)
}

func subject(t *testing.T, m *stdmail.Message) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestMail: by STARTTLS and by TLS, signed in; mails of an alert lie together; one that
// comes twice has the same id.
func TestMail(t *testing.T) {
	t.Parallel()
	conf, roots := certified(t)
	for _, kind := range []string{"smtp", "smtps"} {
		p := &postbox{}
		c := channel(t, notify.Setting{Mail: kind + "://" + p.serve(t, conf, kind == "smtps"), Roots: roots, From: "guard@contoso.example",
			To: []string{"oncall@contoso.example", "ops@contoso.example"}, User: "guard", Secret: kept(t, password)})
		if a, err := send(t, c, alarm()); err != nil || a.Status != "250" {
			t.Fatal(kind, a, err)
		}
		if !p.in || len(p.to) != 2 || len(p.mails) != 1 {
			t.Fatal(p.in, p.to, p.mails)
		}
		m, body := read(t, p.mails[0])
		for name, want := range map[string]string{"Message-Id": "<m-1@contoso.example>", "References": "<a-1@contoso.example>",
			"Auto-Submitted": "auto-generated",
			"Importance":     "high", "X-Partnerguard-Event": "alert.opened", "X-Partnerguard-Test": ""} {
			if got := m.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if s := subject(t, m); s != "[Partnerguard] URGENT: The policy was edited: 27 accounts opened" {
			t.Error(s)
		}
		for _, want := range []string{"A group was left out.", "Affected: 27 of 214 accounts", "- WARNING: Another. because", "    partnerguard changes",
			"https://guard.example/alerts?row=a-1"} {
			if !strings.Contains(body, want) {
				t.Errorf("the body lacks %q:\n%s", want, body)
			}
		}
	}
}

// TestMailRefused: what a server says is known by its number alone, and whether it would
// say so again.
func TestMailRefused(t *testing.T) {
	t.Parallel()
	conf, roots := certified(t)
	good := notify.Setting{Roots: roots, From: "guard@contoso.example", To: []string{"oncall@contoso.example"}, User: "guard", Secret: kept(t, password)}
	for name, c := range map[string]struct {
		change func(*notify.Setting, *postbox)
		status string
		last   bool
		words  string
	}{
		"full": {func(_ *notify.Setting, p *postbox) {
			p.refuse = &smtp.SMTPError{Code: 452, Message: "full " + password}
		}, "452", false, "did not take the mail"},
		"never": {func(_ *notify.Setting, p *postbox) { p.refuse = &smtp.SMTPError{Code: 554, Message: "no " + password} }, "554", true,
			"did not take the mail"},
		"password": {func(s *notify.Setting, _ *postbox) { s.Secret = kept(t, "wrong-"+password) }, "", false, "the user and the password"},
		"unknown":  {func(s *notify.Setting, _ *postbox) { s.Roots = "" }, "", false, "certificate that does not verify"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := good, &postbox{}
			s.Mail = "smtps://" + p.serve(t, conf, true)
			c.change(&s, p)
			_, err := send(t, channel(t, s), alarm())
			if err == nil || !strings.Contains(err.Error(), c.words) || strings.Contains(err.Error()+problem.HintOf(err), password) {
				t.Fatal(err)
			}
			if f, is := errors.AsType[*notify.Failure](err); !is || f.Status != c.status || f.Last != c.last || problem.HintOf(f.Unwrap()) == "" {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestTicket: a ticket system's mail by templates, and a test that is marked whatever
// they say.
func TestTicket(t *testing.T) {
	t.Parallel()
	conf, roots := certified(t)
	p := &postbox{}
	c := channel(t, notify.Setting{Mail: "smtps://" + p.serve(t, conf, true), Roots: roots, From: "guard@contoso.example", To: []string{"tickets@psa.example"},
		Subject: `[{{.Alert}}] {{if eq .Event "alert.resolved"}}CLOSE {{end}}{{.Severity}}: {{.Title}}`,
		Body:    "Priority: {{if eq .Severity \"urgent\"}}1{{else}}3{{end}}\n{{range .Fields}}{{.Name}}={{.Value}}\n{{end}}##{{.ID}}##\n"})
	for _, m := range []*notify.Message{alarm(), notify.Sample(notify.Warning, at)} {
		if _, err := send(t, c, m); err != nil {
			t.Fatal(err)
		}
	}
	m, body := read(t, p.mails[0])
	if s := subject(t, m); s != "[a-1] urgent: The policy was edited: 27 accounts opened" {
		t.Error(s)
	}
	if strings.ReplaceAll(body, "\r\n", "\n") != "Priority: 1\nAffected=27 of 214 accounts\n##m-1##\n" {
		t.Errorf("%q", body)
	}
	m, body = read(t, p.mails[1])
	if !strings.HasPrefix(subject(t, m), "[TEST] ") || !strings.HasPrefix(body, "This is a test: nothing has happened.") ||
		m.Header.Get("X-Partnerguard-Test") != "yes" {
		t.Error(m.Header, body)
	}
}

var syslogForm = regexp.MustCompile(`(?s)^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S{1,255} partnerguard \d+ (\S{1,32}) ` +
	`\[partnerguard@32473(?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")+\] ` + "\ufeff" + `(.*)$`)

// TestSyslog: over UDP, TCP and TLS, by the form of RFC 5424, one message each.
func TestSyslog(t *testing.T) {
	t.Parallel()
	conf, roots := certified(t)
	for _, scheme := range []string{"udp", "tcp", "tls"} {
		address, got := syslogServer(t, scheme, conf)
		c := channel(t, notify.Setting{Syslog: address, Roots: roots})
		if a, err := send(t, c, alarm()); err != nil || a.Status != "sent" {
			t.Fatal(scheme, a, err)
		}
		line := within(t, got)
		f := syslogForm.FindStringSubmatch(line)
		if f == nil || f[1] != "105" || f[2] != "alert.opened" || !strings.HasPrefix(f[3], "URGENT: The policy was edited") ||
			!strings.Contains(line, `id="m-1" severity="urgent" test="false" alert="a-1" link="https://guard.example/alerts?row=a-1"`) {
			t.Errorf("%s: %q", scheme, line)
		}
	}
	if _, err := send(t, channel(t, notify.Setting{Syslog: "tcp://127.0.0.1:1"}), alarm()); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Error(err)
	}
	m := &syslog.Message{At: at, ID: "with space\n" + strings.Repeat("x", 40), Element: "e", Data: [][2]string{{"k", `a"b\c]d`}},
		Text: []byte(strings.Repeat("ü", 3000)), UTF8: true}
	b := m.Bytes(2048)
	if len(b) > 2048 || !bytes.Contains(b, []byte(`k="a\"b\\c\]d"`)) || bytes.ContainsRune(b, unicode.ReplacementChar) || bytes.ContainsAny(b, "\n") {
		t.Errorf("%d %q", len(b), b[:200])
	}
}

// hostile are names as whoever may name things in a tenant chooses them.
var hostile = []string{
	"<script>alert(1)</script>", "[click](https://evil.example)", "<https://evil.example|here>", "<!channel> <@U123> @everyone <at>all</at>",
	"a\r\nBcc: victim@evil.example\r\n\r\nbody", "a\n<105>1 2026-11-30T10:00:00Z h app - - - forged", `"] [evil@1 x="y"`, "\u202egnp.exe\u2066\u200b\u00ad",
	"\x1b[31mred\x00", "\xff\xfe", strings.Repeat("A", 10_000), strings.Repeat("é", 10_000), "https://evil.example/?act=approve", "www.evil.example",
	"=?utf-8?q?x?=", "{{.Secret}}", "**bold** _x_ `code`", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "Bearer abcdef123456",
	"code=0.AXoA-secret-code&state=x",
	"whsec_" + strings.Repeat("c2Vj", 8), "password=hunter2hunter2", "0.AVwA" + strings.Repeat("b", 60),
	"eyJh\u200bbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
}

// never is what no form of a message holds, whatever names say.
var never = []string{"://evil", "www.evil", "hunter2", "c2lnbmF0dXJl", "abcdef123456", "secret-code", strings.Repeat("c2Vj", 3), strings.Repeat("b", 20),
	"\u202e", "\u2066", "\u200b",
	"\x1b", "\x00"}

// TestHostile sends every name in every place over every kind of channel: each form stays
// whole, holds no link but ours, no secret, and says nothing that it was not to say.
func TestHostile(t *testing.T) {
	t.Parallel()
	conf, roots := certified(t)
	p := &postbox{}
	r := receive(t, nil)
	udp, lines := syslogServer(t, "udp", nil)
	mail := notify.Setting{Mail: "smtps://" + p.serve(t, conf, true), Roots: roots, From: "guard@contoso.example", To: []string{"oncall@contoso.example"}}
	ticket := mail
	ticket.Subject, ticket.Body = "{{.Title}}",
		"{{.Title}}\n{{.Text}}\n{{range .Fields}}{{.Name}}: {{.Value}}\n{{end}}{{range .Items}}{{.Title}} {{.Text}}\n{{end}}"
	for _, s := range hostile {
		m := &notify.Message{ID: "m-1", Event: "alert.opened", Severity: notify.Severity(s), At: at, Thread: s, Title: s, Text: s,
			Fields: []notify.Field{{Name: s, Value: s}}, Items: []notify.Item{{ID: s, Title: s, Text: s}}, Commands: []string{s},
			Link: "https://guard.example/" + s}
		for range 40 {
			m.Items, m.Fields = append(m.Items, m.Items[0]), append(m.Fields, m.Fields[0])
		}
		for _, set := range []notify.Setting{mail, ticket} {
			if _, err := send(t, channel(t, set), m); err != nil {
				t.Fatalf("%.40q: %v", s, err)
			}
		}
		for _, set := range []notify.Setting{{Webhook: r.URL, Private: true, Secret: kept(t, reference)}, {Teams: kept(t, r.URL), Private: true},
			{Slack: kept(t, r.URL),
				Private: true}} {
			if _, err := send(t, channel(t, set), m); err != nil {
				t.Fatalf("%.40q: %v", s, err)
			}
		}
		if _, err := send(t, channel(t, notify.Setting{Syslog: udp}), m); err != nil {
			t.Fatalf("%.40q: %v", s, err)
		}
		line := within(t, lines)
		if f := syslogForm.FindStringSubmatch(line); f == nil || strings.ContainsAny(f[3], "\r\n") || len(line) > 2048 || strings.Count(line, "<1") > 1 &&
			!strings.Contains(s, "<1") {
			t.Errorf("%.40q: %.300q", s, line)
		}
		holds(t, s, line)
	}
	for i, raw := range p.mails {
		m, body := read(t, raw)
		for name := range m.Header {
			if strings.EqualFold(name, "Bcc") {
				t.Errorf("%.40q made a header", hostile[i/2])
			}
		}
		if len(m.Header["Subject"]) != 1 || len(m.Header["To"]) != 1 || len(body) > 64<<10 {
			t.Errorf("%.40q: %v", hostile[i/2], m.Header)
		}
		holds(t, hostile[i/2], subject(t, m)+"\n"+body)
	}
	for i, body := range r.bodies {
		s := hostile[i/3]
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil || len(body) > 64<<10 {
			t.Fatalf("%.40q: %v, %d bytes", s, err, len(body))
		}
		said := flat(v)
		holds(t, s, said)
		switch i % 3 {
		case 1: // nothing of a tenant stands where Markdown is read
			if strings.Contains(body, `"TextBlock"`) || strings.Contains(body, `"FactSet"`) || strings.Contains(body, "Action.OpenUrl") || len(body) > 28<<10 {
				t.Errorf("%.40q: %.200s", s, body)
			}
		case 2: // or where mentions and links are
			if strings.Contains(body, `"mrkdwn"`) || strings.Contains(slackText(t, body), "<") {
				t.Errorf("%.40q: %.200s", s, body)
			}
		}
	}
}

// flat is all texts of a JSON value.
func flat(v any) string {
	switch v := v.(type) {
	case string:
		return v + "\n"
	case []any:
		s := ""
		for _, x := range v {
			s += flat(x)
		}
		return s
	case map[string]any:
		s := ""
		for _, x := range v {
			s += flat(x)
		}
		return s
	}
	return ""
}

func slackText(t *testing.T, body string) string {
	t.Helper()
	var m struct {
		Text   string `json:"text"`
		Blocks []struct {
			Type string `json:"type"`
			Text *struct {
				Text string `json:"text"`
			} `json:"text"`
		} `json:"blocks"`
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Blocks) > 50 {
		t.Error("more blocks than Slack takes", len(m.Blocks))
	}
	for _, b := range m.Blocks {
		if b.Text != nil && len([]rune(b.Text.Text)) > map[string]int{"header": 150}[b.Type]+map[bool]int{true: 3000}[b.Type != "header"] {
			t.Error("longer than Slack takes")
		}
	}
	return m.Text
}

func holds(t *testing.T, name, text string) {
	t.Helper()
	for _, bad := range never {
		if strings.Contains(text, bad) {
			t.Errorf("%.40q: %q is sent: %.200q", name, bad, text)
		}
	}
}

// TestTestIsMarked: in every form, before anything else.
func TestTestIsMarked(t *testing.T) {
	t.Parallel()
	r := receive(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	for _, set := range []notify.Setting{{Webhook: r.URL, Private: true, Secret: kept(t, reference)}, {Teams: kept(t, r.URL), Private: true},
		{Slack: kept(t, r.URL), Private: true}} {
		if a, err := send(t, channel(t, set), notify.Sample(notify.Urgent, at)); err != nil || a.Status != "202" {
			t.Error(a, err)
		}
	}
	for _, b := range r.bodies {
		if !strings.Contains(b, "[TEST] ") {
			t.Error(b)
		}
	}
	if !strings.Contains(r.bodies[0], `"test":true`) || !strings.Contains(r.bodies[0], `"type":"test"`) {
		t.Error(r.bodies[0])
	}
	udp, lines := syslogServer(t, "udp", nil)
	if _, err := send(t, channel(t, notify.Setting{Syslog: udp}), notify.Sample(notify.Urgent, at)); err != nil {
		t.Fatal(err)
	}
	if l := within(t, lines); !strings.HasPrefix(l, "<109>") || !strings.Contains(l, `test="true"`) || !strings.Contains(l, "[TEST] ") {
		t.Error(l)
	}
}

// FuzzPlain: one line, bounded, without what is not seen, and the same when done again.
func FuzzPlain(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, 50)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(limit%500, 1)
		got := notify.Plain(s, limit)
		if n := len([]rune(got)); n > limit+8 {
			t.Errorf("%d characters of %d", n, limit)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Errorf("%q has %U", got, r)
			}
		}
		if strings.Contains(got, "://") {
			t.Errorf("%q has a link", got)
		}
	})
}
