package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/config"
	"partnerguard/internal/problem"
)

func env(kv ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(kv); i += 2 {
			if kv[i] == name {
				return kv[i+1]
			}
		}
		return ""
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "partnerguard.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrecedenceAndOrigins(t *testing.T) {
	t.Parallel()
	path := write(t, "data: /from/file\ncloud: usgov\nmasterKey: systemd:pg\nrenewEvery: 24h\n")
	c, err := config.Load(config.Source{File: path, Flags: map[string]string{"cloud": "china"}, Getenv: env("PARTNERGUARD_CLOUD", "commercial",
		"PARTNERGUARD_MASTER_KEY", "passphrase", "PARTNERGUARD_PUBLIC_URL", "https://guard.example/", "HOME", "/h")})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]string{}
	for _, l := range c.Lines() {
		got[l.Name] = [2]string{l.Value, l.Origin}
	}
	for name, want := range map[string][2]string{
		"data": {"/from/file", path}, "cloud": {"china", "--cloud"}, "masterKey": {"passphrase", "PARTNERGUARD_MASTER_KEY"},
		"publicURL": {"https://guard.example", "PARTNERGUARD_PUBLIC_URL"}, "renewEvery": {"24h0m0s", path}, "listen": {"127.0.0.1:8443", "default"},
	} {
		if got[name] != want {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
}

// TestEmptyFile: a file that sets nothing is as good as none.
func TestEmptyFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# nothing yet\n", "---\n"} {
		path := write(t, text)
		c, err := config.Load(config.Source{File: path, Flags: map[string]string{"data": "/x"}, Getenv: env("HOME", "/h")})
		if err != nil || c.Data != "/x" || c.File() != path || c.Place() != path || c.Origin("data") != "--data" {
			t.Errorf("%q: %v %+v", text, err, c)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Source{Getenv: env("HOME", "/h", "XDG_DATA_HOME", "/d")})
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "/d/partnerguard" || c.MasterKey != "file:/h/.config/partnerguard/master.key" || c.Renew.Every != 7*24*time.Hour || c.File() != "" {
		t.Errorf("%+v", c)
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown name":              {"data: /x\nmasterkye: a\n", "[2:1]"},
		"an anchor of nothing":      {"anchors: [{every: 1h}]\n", "exactly one"},
		"an anchor of two kinds":    {"anchors: [{syslog: 'udp://h', witness: 'https://w', key: k}]\n", "exactly one"},
		"a file that is a syslog":   {"anchors: [{syslog: 'udp://h', file: /x}]\n", "exactly one"},
		"a witness without key":     {"anchors: [{witness: 'https://w'}]\n", "go together"},
		"a stamp without roots":     {"anchors: [{timestamp: 'http://t'}]\n", "roots"},
		"an anchor twice":           {"anchors: [{file: /x}, {file: /x}]\n", "twice"},
		"an anchor of another word": {"anchors: [{fil: /x}]\n", "[1:12]"},
		"mail with a header":        {"anchors: [{mail: 'smtps://h', from: a@b.example, to: [\"c@b.example\\r\\nBcc: x@y.example\"]}]\n", "plain address"},
		"mail from a header":        {"anchors: [{mail: 'smtps://h', from: \"a@b.example\\nX: y\", to: [c@b.example]}]\n", "plain address"},
		"mail to nobody":            {"anchors: [{mail: 'smtps://h', from: a@b.example}]\n", "between 1 and 16"},
		"mail in the clear":         {"anchors: [{mail: 'smtp+plain://h', from: a@b.example, to: [c@b.example]}]\n", "not on this machine"},
		"mail with its password":    {"anchors: [{mail: 'smtps://u:geheim@h', from: a@b.example, to: [c@b.example]}]\n", "cannot be read"},
		"a password as a secret":    {"anchors: [{mail: 'smtps://h', from: a@b.example, to: [c@b.example], user: u, secret: geheim}]\n", "file:PATH"},
		"a user without a secret":   {"anchors: [{mail: 'smtps://h', from: a@b.example, to: [c@b.example], user: u}]\n", "go together"},
		"mail with a mode":          {"anchors: [{mail: 'smtps://h', from: a@b.example, to: [c@b.example], mode: locked}]\n", "mode does not belong"},
		"blobs with their secret":   {"anchors: [{azureBlob: 'https://h/c?sv=1&sig=geheim'}]\n", "cannot be read"},
		"the same secret twice":     {"anchors: [{azureBlob: 'https://h/c?sig=geheim'}, {azureBlob: 'https://h/c?sig=geheim'}]\n", "cannot be read"},
		"blobs without TLS":         {"anchors: [{azureBlob: 'http://h/c'}]\n", "not https"},
		"blobs without a container": {"anchors: [{azureBlob: 'https://h'}]\n", "no container"},
		"blobs in another mode":     {"anchors: [{azureBlob: 'https://h/c', mode: compliance}]\n", "locked"},
		"blobs for an hour":         {"anchors: [{azureBlob: 'https://h/c', retain: 1h}]\n", "a day"},
		"blobs for ever":            {"anchors: [{azureBlob: 'https://h/c', retain: 100000h}]\n", "ten years"},
		"blobs of a region":         {"anchors: [{azureBlob: 'https://h/c', region: x}]\n", "region does not belong"},
		"a bucket of no region":     {"anchors: [{s3: 'https://h/b'}]\n", "region"},
		"half a key":                {"anchors: [{s3: 'https://h/b', region: x, secret: 'file:/k'}]\n", "go together"},
		"a file with a secret":      {"anchors: [{file: /x, secret: 'file:/k'}]\n", "secret does not belong"},
		"a bucket and blobs":        {"anchors: [{s3: 'https://h/b', azureBlob: 'https://h/c', region: x}]\n", "exactly one"},
		"anchored every second":     {"anchorEvery: 1s\n", "a minute"},
		"not YAML":                  {"data: [", "partnerguard.yaml"},
		"cloud":                     {"cloud: mars\n", `"mars" is not a cloud`},
		"never renewed":             {"renewEvery: 721h\n", "30 days"},
		"renewed all day":           {"renewEvery: 59m\n", "an hour"},
		"database":                  {"database: mysql://x\n", "postgres://"},
		"public over http":          {"publicURL: http://guard.example\n", "https://"},
		"public with user":          {"publicURL: https://a:b@guard.example\n", "https://"},
		"public with path":          {"publicURL: https://guard.example/app\n", "host alone"},
		"public flag":               {"publicURL: ftp://guard.example\n", "https://"},
		"database unread":           {"database: postgres://u:gehe%zz@db/x\n", "cannot be read"},
		"database query":            {"database: postgres://u@db/x?sslpassword=geheim\n", "PGPASSWORD"},
		"a stamp with a password":   {"anchors: [{timestamp: 'http://u:geheim@t', roots: /r}]\n", "place alone"},
		"a stamp with a key":        {"anchors: [{timestamp: 'http://t/?key=geheim', roots: /r}]\n", "place alone"},
		"a witness with a password": {"anchors: [{witness: 'https://u:geheim@t', key: k}]\n", "place alone"},
		"a syslog with a password":  {"anchors: [{syslog: 'tls://u:geheim@h'}]\n", "place alone"},
		"a key with a password":     {"masterKey: azurekeyvault:https://u:geheim@v/k\n", "key alone"},
		"database parameters":       {"database: 'postgres://u@h/d?a=1;password=geheim'\n", "parameters"},
		"renewed never, as zero":    {"renewEvery: 0s\n", "an hour"},
		"a second part":             {"data: /x\n---\nmasterkye: a\n", "second part"},
		"half of TLS":               {"tlsKey: k.pem\n", "go together"},
		"large":                     {"data: " + strings.Repeat("x", 1<<20) + "\n", "larger than"},
	} {
		_, err := config.Load(config.Source{File: write(t, c.text), Getenv: env("HOME", "/h")})
		if err == nil || !strings.Contains(err.Error()+problem.HintOf(err), c.want) || strings.Contains(err.Error(), "gehe") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct{ variable, want string }{
		"a list by a variable": {"PARTNERGUARD_ANCHORS", "in the file alone"},
		"a zero by a variable": {"PARTNERGUARD_RENEW_EVERY", "an hour"},
	} {
		if _, err := config.Load(config.Source{Getenv: env("HOME", "/h", c.variable, "0")}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := config.Load(config.Source{File: write(t, "\ufeffdata: /x\nlisten: ''\n"), Getenv: env("HOME", "/h")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.Load(config.Source{Flags: map[string]string{"data": ""}, Getenv: env("HOME", "/h")})
	if !errors.Is(err, problem.Usage) || !strings.Contains(err.Error(), "--data is empty") {
		t.Errorf("an empty flag: %v", err)
	}
	if c.Data != "/x" || c.Web.Listen != "127.0.0.1:8443" || c.Origin("listen") != "default" {
		t.Errorf("what is empty is not given: %q from %s", c.Web.Listen, c.Origin("listen"))
	}
	if _, err := config.Load(config.Source{File: "/does/not/exist.yaml", Getenv: env()}); !errors.Is(err, problem.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Source{Getenv: env("HOME", "/h", "PARTNERGUARD_DATABASE", "postgres://u:geheim@db/x")})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.Lines() {
		if strings.Contains(l.Value, "geheim") {
			t.Errorf("%s shows the password", l.Name)
		}
	}
	if c.Database != "postgres://u:geheim@db/x" {
		t.Error("the URL itself lost its password")
	}
}

func TestPassphraseIsNotShown(t *testing.T) {
	t.Parallel()
	for value, shown := range map[string]bool{"geheim": false, "passphrase:geheim": false, "passphrase": true, "file:/k": true, "systemd:x": true,
		"azurekeyvault:https://a/b": true} {
		c, err := config.Load(config.Source{Getenv: env("HOME", "/h"), Flags: map[string]string{"master-key": value}})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range c.Lines() {
			if l.Name == "masterKey" && (l.Value == value) != shown {
				t.Errorf("%s is shown as %s", value, l.Value)
			}
		}
	}
}

// A file of any bytes gives settings or an error, never both or neither.
func FuzzFile(f *testing.F) {
	for _, s := range []string{"data: /x\n", "data: [", "a: &a [*a]\n", "renewEvery: 1h\n", "- x\n", "\xff\xfe", "data: !!binary x\n"} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "f.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Source{File: path, Getenv: env("HOME", "/h")})
		if (c == nil) != (err != nil) {
			t.Errorf("settings %v and error %v", c, err)
		}
	})
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	path := write(t, "anchorEvery: 5m\nanchors:\n  - file: /mnt/x\n  - {timestamp: 'http://t', roots: /r.pem, file: /mnt/s}\n  - {syslog: 'udp://h', "+
		"every: 1h}\n"+
		"  - {mail: 'smtp://m', from: a@b.example, to: [c@b.example, d@b.example], user: u, secret: 'file:/p'}\n"+
		"  - {azureBlob: 'https://a.blob.core.windows.net/c/p', secret: 'systemd:sas', retain: 72h}\n"+
		"  - {s3: 'https://h/b', region: x, accessKey: A, secret: 'file:/k', pathStyle: true}\n")
	c, err := config.Load(config.Source{File: path, Getenv: env("HOME", "/h")})
	if err != nil {
		t.Fatal(err)
	}
	var every []time.Duration
	for _, a := range c.Anchor.Places {
		every = append(every, a.Every)
	}
	if len(every) != 6 || every[3] != 24*time.Hour || every[4] != 5*time.Minute || every[0] != 5*time.Minute || every[1] != 24*time.Hour ||
		every[2] != time.Hour {
		t.Errorf("%v", every)
	}
	if b, s := c.Anchor.Places[4], c.Anchor.Places[5]; b.Mode != "locked" || b.Retain != 72*time.Hour || s.Mode != "compliance" || s.Retain != 8760*time.Hour {
		t.Errorf("%+v %+v", b, s)
	}
	for _, l := range c.Lines() {
		if l.Name == "anchors" && (l.Value != "file:/mnt/x timestamp:http://t syslog:udp://h mail:smtp://m to c@b.example,d@b.example "+
			"azureBlob:https://a.blob.core.windows.net/c/p s3:https://h/b" || l.Origin != path) {
			t.Errorf("%+v", l)
		}
	}
}

// Every setting can be read, is described, and has a name and a flag of its own;
// its default is one of its values.
func TestSettings(t *testing.T) {
	t.Parallel()
	names, flags := map[string]bool{}, map[string]bool{}
	for _, s := range config.Settings() {
		if s.Name == "" || strings.Contains(s.Name, ",") || names[s.Name] || s.About == "" {
			t.Errorf("%+v: it has no name of its own, or no words about it", s)
		}
		if s.Flag != "" && flags[s.Flag] {
			t.Errorf("two settings have the flag --%s", s.Flag)
		}
		names[s.Name], flags[s.Flag] = true, true
	}
	for _, name := range []string{"data", "renewEvery", "listen", "policy", "anchors", "trailKey"} {
		if !names[name] {
			t.Errorf("there is no setting %s: the walk is broken", name)
		}
	}
	c, err := config.Load(config.Source{Getenv: func(name string) string { return map[string]string{"HOME": t.TempDir()}[name] }})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, l := range c.Lines() {
		values[l.Name] = l.Value
	}
	for _, s := range config.Settings() {
		if d, err := time.ParseDuration(s.Default); err == nil {
			s.Default = d.String()
		}
		if s.Default != "" && values[s.Name] != s.Default {
			t.Errorf("%s is %q, and its default %q", s.Name, values[s.Name], s.Default)
		}
	}
}

// What the walk over the tags cannot read is not there: every field is a text, a
// duration, a list or a feature's settings, which stand among the others in the
// file; and what checks them has the form that is called.
func TestSettingsHaveFormsThatAreRead(t *testing.T) {
	t.Parallel()
	type bad = func(name, format string, args ...any) *problem.Error
	var walk func(typ reflect.Type, feature bool)
	walk = func(typ reflect.Type, feature bool) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			switch k := f.Type.Kind(); {
			case !f.IsExported():
				if feature {
					t.Errorf("%s.%s is not exported, and so no setting", typ, f.Name)
				}
			case k == reflect.String, f.Type == reflect.TypeFor[time.Duration](), k == reflect.Slice:
			case k == reflect.Struct && !feature:
				if f.Tag.Get("yaml") != ",inline" {
					t.Errorf("%s has the tag yaml:%q, and needs %q", f.Name, f.Tag.Get("yaml"), ",inline")
				}
				if m, ok := reflect.PointerTo(f.Type).MethodByName("Check"); ok &&
					m.Type != reflect.FuncOf([]reflect.Type{reflect.PointerTo(f.Type), reflect.TypeFor[bad]()},
						[]reflect.Type{reflect.TypeFor[error]()}, false) {
					t.Errorf("%s.Check is %s, which nobody calls", f.Name, m.Type)
				}
				walk(f.Type, true)
			default:
				t.Errorf("%s.%s is a %s, which nobody reads", typ, f.Name, f.Type)
			}
		}
	}
	walk(reflect.TypeFor[config.Config](), false)
}
