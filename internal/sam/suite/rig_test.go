package suite_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// rig is a suite over the partner cloud, and what it was made of.
type rig struct {
	*labtest.Lab
	*suite.Suite
	d     *db.DB
	trail *trail.Trail
	deps  suite.Deps
}

// newRig makes a suite that has nothing yet. It knows no local cloud, as an
// installation for Microsoft's does not.
func newRig(t *testing.T, change ...func(*partnercloud.Options)) *rig {
	t.Helper()
	r := &rig{Lab: labtest.Start(t, change...), d: dbtest.SQLite(t)}
	tr, v := r.Keep(r.d, func(o *vault.Options) { o.Books = suite.Books() })
	r.trail = tr
	r.deps = suite.Deps{
		DB: r.d, Trail: tr, Vault: v, API: r.API, Cloud: r.Cloud, Seen: filepath.Join(t.TempDir(), "seen.json"), Every: 7 * 24 * time.Hour,
		Actor: "local:test", Now: r.Now, Log: slog.New(slog.DiscardHandler),
	}
	r.open()
	return r
}

// open opens the suite, again where it is open, with the settings changed.
func (r *rig) open(change ...func(*suite.Deps)) {
	r.Helper()
	r.close()
	for _, f := range change {
		f(&r.deps)
	}
	var err error
	if r.Suite, err = suite.New(r.Context(), r.deps); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(r.close)
}

func (r *rig) close() {
	r.Helper()
	if r.Suite != nil {
		if err := r.Suite.Close(); err != nil {
			r.Error(err)
		}
	}
}

// known keeps a consent that nobody gave, and of which the trail knows nothing:
// enough for what is asked of rows alone.
func (r *rig) known(name string) sam.Connection {
	r.Helper()
	c, err := r.Store.Keep(r.Context(), sam.Captured{
		Name: name, Model: sam.CSP, Cloud: r.Cloud, Tenant: r.Info.Tenant.ID, ClientID: labtest.PanelApp, Account: name + "@contoso.com", ObjectID: name,
		Proof: claim.Verdict{Answer: claim.Proven}, At: r.Now(), Refresh: secret.New("refresh " + name),
	})
	if err != nil {
		r.Fatal(err)
	}
	return c
}

// connect registers the app and takes a real consent of the SAM account.
func (r *rig) connect() sam.Connection {
	r.Helper()
	r.Register(r.Suite)
	c, err := r.Capture()
	if err != nil {
		r.Fatal(err)
	}
	return r.Connect(c, capture.Request{Cloud: r.Cloud, App: r.App(labtest.PanelApp)}, labtest.SAMAgent)
}

// said are the details of what the trail holds of an action, newest first.
func (r *rig) said(a audit.Action) (out []trail.Entry) {
	r.Helper()
	f, err := r.trail.Search(r.Context(), trail.Query{Action: string(a)})
	if err != nil {
		r.Fatal(err)
	}
	return f.Entries
}

// try asks Entra ID with a copy of a connection's token.
func (r *rig) try(c sam.Connection) error {
	r.Helper()
	held, err := r.Store.Token(r.Context(), c.ID)
	if err != nil {
		r.Fatal(err)
	}
	_, err = r.API.Refresh(r.Context(), msapi.RefreshRequest{Cloud: r.Cloud, App: r.App(labtest.PanelApp), Tenant: c.Tenant, Refresh: held.Current,
		Scope: r.Cloud.PartnerCenterResource + "/.default"})
	return err
}
