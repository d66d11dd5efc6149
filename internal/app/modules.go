package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/automation"
	"partnerguard/internal/jobs"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/trail/anchor"
	"partnerguard/internal/web"
)

// features are what an installation has.
type features struct {
	SAM        *suite.Suite // nil where it was opened without the vault
	Keeper     *anchor.Keeper
	Automation *automation.Store
}

// module is a feature as serve runs it. What a feature does not have is nil.
type module struct {
	name    string
	mount   func(web.Mux) error     // its pages and endpoints
	jobs    func(*jobs.Queue) error // what it does by itself
	metrics func(prometheus.Registerer)
}

// modules are all features, one line each.
func (i *Installation) modules(o ServeOptions) []module {
	return []module{
		{"trail", nil, i.Keeper.Jobs, i.Keeper.Metrics},
		{"sam", func(m web.Mux) error { return i.SAM.Mount(m, o) }, i.SAM.Jobs, i.SAM.Metrics},
		{"automation", nil, nil, i.Automation.Metrics},
	}
}

// start gives a feature what it answers by, works by and counts by.
func (m module) start(mux web.Mux, q *jobs.Queue, reg prometheus.Registerer) error {
	if m.metrics != nil {
		m.metrics(reg)
	}
	if m.jobs != nil {
		if err := m.jobs(q); err != nil {
			return err
		}
	}
	if m.mount != nil {
		return m.mount(mux)
	}
	return nil
}

// makeData makes the features that need no secret.
func (i *Installation) makeData() (err error) {
	i.Keeper = anchor.NewKeeper(anchor.Deps{Trail: i.Trail, Vault: i.Vault, Config: &i.Config.Anchor, Origin: i.Config.Origin, Log: i.Log})
	i.Automation, err = automation.New(automation.Deps{DB: i.DB, Record: i.Trail, Now: i.Now})
	return err
}

// make makes all features.
func (i *Installation) make(ctx context.Context) (err error) {
	if err := i.makeData(); err != nil { // once more: there is a vault now
		return err
	}
	i.SAM, err = suite.New(ctx, suite.Deps{
		DB: i.DB, Trail: i.Trail, Vault: i.Vault, API: i.API, Cloud: i.Cloud, Local: i.local(), Seen: i.seenFile(), Public: i.Config.Web.PublicURL,
		Every: i.Config.Renew.Every, Actor: i.Actor, Now: i.Now, Log: i.Log,
	})
	if err == nil {
		i.notes = append(i.notes, i.SAM.Notes()...)
		i.close = append(i.close, i.SAM.Close)
	}
	return err
}

// local is what the partner cloud offers, where this is its installation.
func (i *Installation) local() *suite.Local {
	if i.lab == nil {
		return nil
	}
	l := &suite.Local{}
	for _, a := range i.lab.Info.Apps {
		l.Apps = append(l.Apps, suite.App{ClientID: a.ClientID, Tenant: a.Tenant, Name: a.Name, Secret: a.ClientSecret})
	}
	return l
}

// seenFile is where this machine remembers how long the trail was: beside the
// installation's data, apart for each database.
func (i *Installation) seenFile() string {
	sum := sha256.Sum256([]byte(i.DB.Where()))
	dir := i.Config.Data
	if i.Lab() {
		dir = filepath.Join(dir, LabName)
	}
	return filepath.Join(dir, "seen-"+hex.EncodeToString(sum[:6])+".json")
}
