//go:build !judge

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/alert"
	"partnerguard/internal/archive"
	"partnerguard/internal/automation"
	"partnerguard/internal/bridge/run"
	"partnerguard/internal/collect"
	"partnerguard/internal/console"
	"partnerguard/internal/db"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/fraud/budget"
	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/doorbell"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/jobs"
	"partnerguard/internal/mfa"
	mfapages "partnerguard/internal/mfa/pages"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/notify"
	"partnerguard/internal/pack"
	"partnerguard/internal/people"
	"partnerguard/internal/posture"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/trail/anchor"
	"partnerguard/internal/trail/reading"
	"partnerguard/internal/web"
)

// features are what an installation has.
type features struct {
	SAM        *suite.Suite // nil where it was opened without the vault
	Keeper     *anchor.Keeper
	Automation *automation.Store
	Archive    *archive.Archive
	Collect    *collect.Collector // tells only, where it was opened without the vault
	Posture    *posture.Store
	Reading    *reading.Reading // the page of the trail
	Notify     *notify.Outbox
	Alerts     *alert.Store
	Console    *console.Console // nil where it was opened without the vault
	MFA        *mfa.Store       // so are these
	MFAPages   *mfapages.Pages
	External   *provider.Provider
	Bridge     *run.Bridge // nil where it was opened without the vault
	Mover      *move.Mover
	Fraud      *desk.Desk     // alerts about Azure fraud
	Doorbell   *doorbell.Bell // nil where it was opened without the vault
	Contain    *contain.Containment
	Inquiry    *inquiry.Inquiry // what happened, of each alert
	Budgets    *budget.Budgets
	Gateway    *Gateway
	Packs      *pack.Store // tells only, where it was opened without the vault
}

// What serve wants of a feature; each has some of these.
type (
	mounter interface{ Mount(web.Mux) error } // its pages and endpoints
	worker  interface {
		Jobs(*jobs.Queue) error // what it does by itself
	}
	watched interface {
		Metrics(prometheus.Registerer) // its gauges
	}
)

// module is a feature by its name.
type module struct {
	name    string
	feature any
}

// modules are all features, one line each.
func (i *Installation) modules() []module {
	return []module{
		{"trail", i.Keeper},
		{"trail reading", i.Reading},
		{"sam", i.SAM},
		{"automation", i.Automation},
		{"archive", i.Archive},
		{"collect", i.Collect},
		{"posture", i.Posture},
		{"notify", i.Notify},
		{"alert", i.Alerts},
		{"console", i.Console},
		{"mfa", i.MFA},
		{"mfa pages", i.MFAPages},
		{"mfa provider", i.External},
		{"mail bridge", i.Bridge},
		{"delegation", i.Mover},
		{"fraud", i.Fraud},
		{"fraud doorbell", i.Doorbell},
		{"containment", i.Contain},
		{"fraud inquiry", i.Inquiry},
		{"budgets", i.Budgets},
		{"gateway", i.Gateway},
		{"packs", i.Packs},
		{"backup", lastBackup{i.DB}},
	}
}

// start gives a feature what it answers by, works by and is watched by; a nil mux has
// it answer nothing.
func (m module) start(mux web.Mux, q *jobs.Queue, reg prometheus.Registerer) error {
	if f, ok := m.feature.(watched); ok {
		f.Metrics(reg)
	}
	if f, ok := m.feature.(worker); ok {
		if err := f.Jobs(q); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	if f, ok := m.feature.(mounter); ok && mux != nil {
		if err := f.Mount(mux); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// makeData makes the features that need no secret.
func (i *Installation) makeData() (err error) {
	i.Keeper = i.keeper()
	i.Reading = i.reading()
	if i.Automation, err = automation.New(automation.Deps{DB: i.DB, Record: i.Trail, Now: i.Now}); err != nil {
		return err
	}
	i.Archive, err = i.archive()
	if err != nil {
		return err
	}
	i.close = append(i.close, i.Archive.Close)
	if i.Packs, err = i.packs(); err != nil {
		return err
	}
	if err = i.makeSnapshot(); err != nil {
		return err
	}
	if i.Collect, err = i.collector(); err != nil {
		return err
	}
	if i.External, err = i.external(); err != nil {
		return err
	}
	if i.Cover, err = i.cover(); err != nil {
		return err
	}
	if err = i.makePosture(); err != nil {
		return err
	}
	if i.People, err = people.New(people.Deps{Snapshot: i.Snapshot, Trend: i.peopleTrend}); err != nil {
		return err
	}
	if err = i.makeAlerts(); err != nil {
		return err
	}
	if err = i.makeMover(); err != nil {
		return err
	}
	if err = i.makeFraud(); err != nil {
		return err
	}
	if err = i.makeContain(); err != nil {
		return err
	}
	if err = i.makeInquiry(); err != nil {
		return err
	}
	if err = i.makeGateway(); err != nil {
		return err
	}
	return i.makeBudgets()
}

// keeper makes what hands out checkpoints, signed where the vault is open.
func (i *Installation) keeper() *anchor.Keeper {
	return anchor.NewKeeper(anchor.Deps{Trail: i.Trail, Vault: i.Vault, Config: &i.Config.Anchor, Origin: i.Config.Origin, Log: i.Log})
}

// make makes the features that need the vault.
func (i *Installation) make(ctx context.Context) (err error) {
	i.Keeper = i.keeper()                     // there is a vault now, and so it signs
	i.Reading = i.reading()                   // and proves
	if i.Packs, err = i.packs(); err != nil { // and makes packs
		return err
	}
	if err := i.makePosture(); err != nil { // and holds exceptions to their marks
		return err
	}
	if err := i.makeAlerts(); err != nil { // and reads sealed secrets of channels
		return err
	}
	if i.External, err = i.external(); err != nil { // and has keys that sign
		return err
	}
	i.SAM, err = suite.New(ctx, suite.Deps{
		DB: i.DB, Trail: i.Trail, Vault: i.Vault, API: i.API, Cloud: i.Cloud, Local: i.local(), Seen: i.seenFile(), Public: i.Config.Web.PublicURL,
		Every: i.Config.Renew.Every, Look: i.look, Actor: i.Actor, Now: i.Now, Log: i.Log,
	})
	if err == nil {
		i.notes = append(i.notes, i.SAM.Notes()...)
		i.close = append(i.close, i.SAM.Close)
		i.Collect, err = i.collector() // now it can read
	}
	if err == nil {
		err = i.makeConsole()
	}
	if err == nil {
		err = i.makeMFA()
	}
	if err == nil { // who asks, and who answers Entra ID
		i.External.Challenge(i.MFAPages)
		i.MFAPages.Answers(i.External)
	}
	if err == nil {
		err = i.makeBridge()
	}
	if err == nil {
		err = i.makeMover() // now it can vouch, and reach Microsoft
	}
	if err == nil {
		err = i.makeFraud() // so can this
	}
	if err == nil {
		err = i.makeContain() // and this
	}
	if err == nil {
		err = i.makeInquiry() // and read what alerts are about
	}
	if err == nil {
		err = i.makeBudgets() // so can this
	}
	if err == nil {
		err = i.makeGateway() // and hold revocations to their marks
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

// archive makes the archive's store, which opens its place when it is wanted.
func (i *Installation) archive() (*archive.Archive, error) {
	place := i.Config.Archive
	if i.Lab() {
		place.Place = "" // a laboratory's pages never lie among a real tenant's
	}
	return archive.Open(archive.Deps{DB: i.DB, Trail: i.Trail, Config: &place, Dir: i.archiveDir(), Now: i.Now, Log: i.Log,
		Right: i.clockIsRight})
}

// archiveDir is the folder of the archive where no other place is set. The
// lab's lies apart, as its database does.
func (i *Installation) archiveDir() string {
	dir := i.Config.Data
	if i.Lab() {
		dir = filepath.Join(dir, LabName)
	}
	return filepath.Join(dir, "archive")
}

// seenFile is where this machine remembers how long the trail was: beside the
// installation's data, apart for each database, however its path is spelt.
func (i *Installation) seenFile() string {
	dir := i.Config.Data
	if i.Lab() {
		dir = filepath.Join(dir, LabName)
	}
	where := i.DB.Where()
	if i.DB.Dialect == db.SQLite {
		where = whole(where)
	}
	path := filepath.Join(dir, seenName(where))
	if _, err := os.Stat(path); err == nil || where == i.DB.Where() {
		return path
	}
	// A program of before named it by the path as it was typed. Where that file is, it
	// is the memory; it moves when something may be written, and stays the memory
	// where it cannot.
	older := filepath.Join(dir, seenName(i.DB.Where()))
	if _, err := os.Stat(older); err == nil && (i.look || os.Rename(older, path) != nil) {
		return older
	}
	return path
}

func seenName(where string) string {
	sum := sha256.Sum256([]byte(where))
	return "seen-" + hex.EncodeToString(sum[:6]) + ".json"
}

// whole is a path from the root, without links in its folder.
func whole(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		abs = filepath.Join(dir, filepath.Base(abs))
	}
	return abs
}
