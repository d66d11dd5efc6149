package app_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// TestOpenCloud: a client of the cloud, and nothing that is kept.
func TestOpenCloud(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	var asked msapi.Options
	dial := func(o *app.Options) {
		o.Dial = func(m msapi.Options) *msapi.Client { asked = m; return msapi.New(m) }
	}
	o := p.options(false, "cloud", "usgov")
	dial(&o)
	i, err := app.OpenCloud(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if i.Cloud.Name != "usgov" || i.Lab() || i.LabInfo() != nil || i.API == nil || i.DB != nil || i.Vault != nil || i.Trail != nil || i.SAM != nil ||
		asked.RootCAs != nil {
		t.Errorf("%+v", i)
	}
	if err := errors.Join(i.Close(), i.Close()); err != nil {
		t.Error(err)
	}
	o = p.options(true)
	o.Lab.Roots = x509.NewCertPool()
	dial(&o)
	if i, err = app.OpenCloud(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if i.LabInfo() != o.Lab || !i.Lab() || i.Cloud.Authority != "https://localhost:1" || asked.RootCAs != o.Lab.Roots ||
		time.Until(asked.Now()) < 30*time.Minute {
		t.Errorf("the partner cloud: %+v at %v", i.Cloud, asked.Now())
	}
	if list, err := os.ReadDir(p.dir); err != nil || len(list) != 0 {
		t.Errorf("something was kept: %v %v", list, err)
	}
	for name, c := range map[string]struct {
		change func(*app.Options)
		want   error
	}{
		"no such cloud": {func(o *app.Options) { o.Config.Cloud = "mars" }, problem.Usage},
		"none runs":     {func(o *app.Options) { o.Config.Cloud, o.Lab = app.LabName, nil }, problem.NotFound},
		"it ended meanwhile": {func(o *app.Options) {
			o.Lab.Clock = func(context.Context) (time.Time, error) { return time.Time{}, io.EOF }
		}, io.EOF},
		"a real one is named": {func(o *app.Options) { o.Config.Cloud = "public" }, nil},
	} {
		o := p.options(true)
		c.change(&o)
		if i, err := app.OpenCloud(t.Context(), o); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
		} else if err == nil {
			_ = i.Close()
		}
	}
}

// TestOpenData: the features of an installation that was opened without its
// vault: those that need no secret are there, and no key was made or asked for.
func TestOpenData(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	o := p.options(false)
	o.Dial = func(msapi.Options) *msapi.Client { t.Error("a cloud is asked"); return nil }
	i, err := app.OpenData(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if i.SAM != nil || i.Vault != nil || i.API != nil || len(i.Notes()) != 0 {
		t.Errorf("%+v", i)
	}
	if list, err := i.Automation.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
	if err := i.Trail.Record(t.Context(), audit.Event{Action: audit.TokenRefused, Outcome: audit.Refused, Actor: "a"}); err != nil {
		t.Error(err)
	}
	if r, err := i.Trail.Verify(t.Context(), nil); err != nil || r.Err() != nil {
		t.Errorf("%v %+v", err, r)
	}
	if _, err := i.Keeper.Send(t.Context(), true); err != nil { // there is nowhere to send to
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(p.key()); err == nil {
		t.Error("a key was made")
	}
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	// Beside a vault whose key is not at hand, the trail is read all the same.
	register(t, p.must(false))
	if err := os.Remove(p.key()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.open(false); err == nil {
		t.Error("it opens without its key")
	}
	if i, err = app.OpenData(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if f, err := i.Trail.Search(t.Context(), trail.Query{Action: string(audit.CredentialCreated)}); err != nil || len(f.Entries) != 1 {
		t.Errorf("%+v %v", f.Entries, err)
	}
}

type noToken struct{}

func (noToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New("no token")
}

// TestParseMaster: each kind of master key gets what it needs of the command,
// and none is asked for anything before it is used.
func TestParseMaster(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	written := func(name, text string) string {
		path := filepath.Join(p.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := filepath.Join(p.dir, "k")
	if _, err := vault.MakeKeyFile(key); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	written("cred", string(raw))
	prompted, credited := 0, 0
	base := p.options(false)
	base.Getenv = func(name string) string { return map[string]string{"CREDENTIALS_DIRECTORY": p.dir}[name] }
	base.Prompt = func(context.Context, string, bool) (secret.Text, error) {
		prompted++
		return secret.New("correct horse battery staple"), nil
	}
	base.Key = func() (azcore.TokenCredential, error) { credited++; return noToken{}, nil }
	for name, c := range map[string]struct {
		spec   string
		change func(*app.Options)
		says   string // in what it is; "" it is refused
		wraps  bool
	}{
		"a key file":       {"file:" + key, nil, "key file", true},
		"a passphrase":     {"passphrase", nil, "passphrase", true},
		"without a person": {"passphrase", func(o *app.Options) { o.Prompt = nil }, "", false},
		"a file of words":  {"passphrase-file:" + written("words", "correct horse battery staple\n"), nil, "passphrase", true},
		"systemd's":        {"systemd:cred", nil, "cred", true},
		"without systemd":  {"systemd:cred", func(o *app.Options) { o.Getenv = func(string) string { return "" } }, "", false},
		"azure key vault":  {"azurekeyvault:https://mine.vault.azure.net/keys/k", nil, "mine.vault.azure.net", false},
		"no credential": {"azurekeyvault:https://mine.vault.azure.net/keys/k", func(o *app.Options) {
			o.Key = func() (azcore.TokenCredential, error) { return nil, http.ErrNoCookie }
		}, "", false},
		"azure's own chain": {"azurekeyvault:https://mine.vault.azure.net/keys/k", func(o *app.Options) { o.Key = nil }, "mine.vault.azure.net", false},
		"not a key vault":   {"azurekeyvault:https://evil.example/keys/k", nil, "", false},
		"no kind":           {"hunter2", nil, "", false},
	} {
		o := base
		if c.change != nil {
			c.change(&o)
		}
		n := prompted
		m, err := app.ParseMaster(c.spec, o)
		if (err == nil) != (c.says != "") || err != nil && problem.HintOf(err) == "" && name != "no credential" {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: the setting is quoted: %v", name, err)
			}
			continue
		}
		if !strings.Contains(m.Describe(), c.says) || prompted != n {
			t.Errorf("%s: %q, asked %d times", name, m.Describe(), prompted-n)
		}
		if !c.wraps {
			continue
		}
		sealed, err := m.Wrap(t.Context(), "v", make([]byte, 32))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if open, err := m.Unwrap(t.Context(), "v", sealed); err != nil || len(open) != 32 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if prompted != 1 || credited != 1 {
		t.Errorf("asked a person %d times, and for a credential %d times", prompted, credited)
	}
}
