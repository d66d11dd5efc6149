package bridge_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/bridge"
	"partnerguard/internal/problem"
)

const wholeFile = `version: 1
name: bridge.contoso.example
certificate: /etc/cert.pem
key: /etc/key.pem
owner: it@contoso.example
listen:
  - {protocol: smtp, tls: starttls, at: "0.0.0.0:587"}
  - {protocol: imap, tls: implicit, at: "[::]:993", from: [192.0.2.0/24]}
  - {protocol: smtp, tls: none, at: "192.0.2.10:25", from: [192.0.2.0/24]}
tokens: {connection: contoso}
mailboxes:
  - {address: Scans@contoso.example, connection: scans, asApp: true}
limits: {perMinute: 20, idle: 10m}
queue: {giveUp: 24h}
`

func TestParseFile(t *testing.T) {
	t.Parallel()
	f, err := bridge.ParseFile("bridge.yaml", []byte(wholeFile))
	if err != nil {
		t.Fatal(err)
	}
	if f.Upstream != bridge.DefaultUpstream || f.Limits.PerMinute != 20 || f.Limits.PerDay != 10_000 || f.Limits.Idle != 10*time.Minute ||
		f.Queue.GiveUp != 24*time.Hour || f.Queue.Messages != 2000 {
		t.Errorf("%+v", f)
	}
	if a := f.AccessOf("scans@CONTOSO.example"); a.Connection != "scans" || !a.AsApp {
		t.Errorf("%+v", a)
	}
	if a := f.AccessOf("other@contoso.example"); a.Connection != "contoso" || a.AsApp {
		t.Errorf("%+v", a)
	}
	for at, want := range map[string][3]bool{"192.0.2.7": {true, true, true}, "198.51.100.1": {true, false, false}, "127.0.0.1": {true, false, false},
		"::ffff:192.0.2.7": {true, true, true}} {
		for i := range f.Listen {
			if got := f.Listen[i].Takes(netip.MustParseAddr(at)); got != want[i] {
				t.Errorf("listen[%d] takes %s: %v", i, at, got)
			}
		}
	}
}

func TestParseFileFaults(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ from, to, want string }{
		"unknown key":           {"owner:", "onwer:", `bridge.yaml:5: unknown field "onwer"`},
		"unknown key below":     {"perMinute", "perminute", `unknown field "perminute"`},
		"key twice":             {"owner: it@", "name: x\nowner: it@", "bridge.yaml:5:"},
		"version":               {"version: 1", "version: 2", "version: must be 1"},
		"a name with a line":    {"bridge.contoso.example", `"a\nb"`, "name:"},
		"owner":                 {"it@contoso.example", "nobody", "owner:"},
		"no listener":           {"listen:\n", "mailboxes2:\n", "unknown field"},
		"protocol":              {"protocol: imap", "protocol: ftp", "listen[1]"},
		"tls":                   {"tls: implicit", "tls: maybe", "listen[1]: tls"},
		"no port":               {`"0.0.0.0:587"`, `"0.0.0.0"`, "listen[0]"},
		"a port by name":        {`"0.0.0.0:587"`, `"0.0.0.0:smtp"`, "listen[0]"},
		"in the clear to all":   {`, from: [192.0.2.0/24]}` + "\ntokens", "}\ntokens", "listen[2]: without TLS it must say"},
		"in the clear, wide":    {`from: [192.0.2.0/24]}` + "\ntokens", "from: [0.0.0.0/0]}\ntokens", "listen[2]: without TLS 0.0.0.0/0 is too wide"},
		"in the clear, half":    {`from: [192.0.2.0/24]}` + "\ntokens", "from: [128.0.0.0/1]}\ntokens", "too wide"},
		"a strange network":     {"from: [192.0.2.0/24]}", "from: [here]}", "no address and no network"},
		"no key":                {"key: /etc/key.pem\n", "", "certificate:"},
		"mailbox twice":         {"mailboxes:\n", "mailboxes:\n  - {address: scans@contoso.example}\n", "mailboxes[1]"},
		"a strange mailbox":     {"Scans@contoso.example", "scans", "mailboxes[0]"},
		"too small":             {"perMinute: 20", "perMinute: -1", "limits.perMinute"},
		"too large":             {"perMinute: 20", "messageBytes: 999999999", "limits.messageBytes"},
		"too idle":              {"idle: 10m", "idle: 90h", "limits.idle"},
		"given up at once":      {"giveUp: 24h", "giveUp: 1s", "queue.giveUp"},
		"an anchor":             {"name: bridge", "name: &x bridge", "anchors"},
		"two documents":         {"version: 1", "version: 1\n---\nversion: 1", "one YAML document"},
		"deep":                  {"tokens: {connection: contoso}", "tokens: " + strings.Repeat("[", 100), "nested too deep"},
		"upstream without port": {"limits:", "upstream: {smtp: smtp.office365.com}\nlimits:", "upstream.smtp"},
	} {
		if !strings.Contains(wholeFile, x.from) {
			t.Fatalf("%s: the file has no %q", name, x.from)
		}
		_, err := bridge.ParseFile("bridge.yaml", []byte(strings.Replace(wholeFile, x.from, x.to, 1)))
		if !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := bridge.ParseFile("bridge.yaml", make([]byte, 300<<10)); !errors.Is(err, problem.Limit) {
		t.Errorf("a large file: %v", err)
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte(wholeFile))
	f.Add([]byte("version: 1\nlisten: [{protocol: smtp, tls: none, at: ':25'}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := bridge.ParseFile("bridge.yaml", b)
		if err != nil {
			return
		}
		for i := range got.Listen {
			l := &got.Listen[i]
			if l.TLS == bridge.NoTLS && l.Takes(netip.MustParseAddr("203.0.113.9")) && !strings.Contains(string(b), "203.0") {
				t.Fatalf("%+v takes anybody without TLS", l)
			}
		}
	})
}

func FuzzIsAddress(f *testing.F) {
	f.Add("a@b.example")
	f.Add("a@b>\r\nRCPT TO:<c@d")
	f.Fuzz(func(t *testing.T, s string) {
		if bridge.IsAddress(s) && strings.ContainsAny(s, " \r\n<>\"\x00") {
			t.Fatalf("%q", s)
		}
	})
}
