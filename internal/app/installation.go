//go:build !judge

package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"partnerguard/internal/alert"
	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/queue"
	"partnerguard/internal/config"
	"partnerguard/internal/console"
	"partnerguard/internal/db"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/fraud/budget"
	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/pages"
	"partnerguard/internal/gateway/revoke"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partner"
	"partnerguard/internal/people"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
	remedyrun "partnerguard/internal/remedy/run"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/snapshot"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// Options are what an installation is opened with.
type Options struct {
	Config *config.Config                         // required
	Lab    *Lab                                   // the local partner cloud that runs; nil when none
	Actor  string                                 // who does it, for the audit trail; required
	Now    func() time.Time                       // the machine's clock; required
	Log    *slog.Logger                           // nil discards
	Getenv func(string) string                    // required
	Prompt vault.Prompt                           // asks a person; nil where there is none
	Key    func() (azcore.TokenCredential, error) // for Azure Key Vault; nil is DefaultAzureCredential
	Dial   func(msapi.Options) *msapi.Client      // how the cloud is asked; nil is msapi.New
	// AtRest opens the laboratory's installation although its partner cloud does not
	// run: to look at what is kept. Nothing can be asked then.
	AtRest bool
	// Works names what is going to work the database, such as "serve": it takes the
	// place of the one that does, where that is a file, before it is opened. "" opens it
	// beside whoever works it.
	Works string

	master vault.Master // that was asked for already
}

// Installation is what all features of one place share: the database with the
// trail and the vault, a client of one cloud, the clock; and the features
// themselves. Close it. It is safe for concurrent use.
type Installation struct {
	Config *config.Config
	Cloud  msapi.Cloud
	DB     *db.DB
	Trail  *trail.Trail
	Vault  *vault.Vault  // nil where it was opened without
	API    *msapi.Client // nil where it was opened without the cloud
	Actor  string
	Log    *slog.Logger
	// Snapshot is what pages show of each tenant, as it was judged the last time.
	Snapshot *snapshot.Store
	Cover    *cover          // the pages of coverage and sign-ins
	People   *people.Feature // the page of the accounts
	features
	// OnKept, when set, is told by a job of each judgement of the partner that was kept.
	OnKept func(*Judged, posture.Kept)

	words        lastWords[string] // of exceptions and statements
	factorWords  lastWords[string]
	moveWords    lastWords[[2]string]
	fraudWords   lastWords[[2]string]
	containWords lastWords[[2]string]
	budgetWords  lastWords[string]
	revokeWords  lastWords[revoke.Said]
	remedyWords  lastWords[[2]string]

	// OddSpending, when set, gives what our own eyes found in customers' spending, by tenant
	// in lower case.
	OddSpending func(context.Context) (map[string][]pages.OddSpending, error)

	look bool // nothing is recorded
	held bool // this process works the database

	offline bool // nobody is asked, not even a store of objects
	lab     *Lab
	clock   *clock
	skew    atomic.Pointer[skew] // how far the clock was off when it was looked at last
	notes   []string

	getenv func(string) string
	close  []func() error
}

// Now is the installation's time: the machine's, or the partner cloud's.
func (i *Installation) Now() time.Time { return i.clock.Now() }

// Lab says whether this is the local partner cloud's installation.
func (i *Installation) Lab() bool { return i.Cloud.Name == LabName }

// LabInfo is what the local partner cloud says of itself; nil where it is not
// running.
func (i *Installation) LabInfo() *Lab { return i.lab }

// Notes are what a person should be told of how it was opened.
func (i *Installation) Notes() []string { return i.notes }

// Close ends everything in order.
func (i *Installation) Close() error {
	var err error
	for n := len(i.close) - 1; n >= 0; n-- {
		err = errors.Join(err, i.close[n]())
	}
	i.close = nil
	return err
}

// Open opens the installation, and makes it where there is none: the
// database, its key file, the vault.
func Open(ctx context.Context, o Options) (_ *Installation, err error) {
	i, err := OpenData(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = i.Close()
		}
	}()
	master, err := i.master(ctx, o)
	if err != nil {
		return nil, err
	}
	if i.Vault, err = vault.Open(ctx, i.DB, master, i.VaultOptions()); err != nil {
		return nil, err
	}
	i.dial(o.Dial)
	if err := i.make(ctx); err != nil {
		return nil, err
	}
	return i, nil
}

// OpenData opens the database with the audit trail, and not the vault: for what
// needs no secret, or mends the vault.
func OpenData(ctx context.Context, o Options) (_ *Installation, err error) {
	i := newInstallation(o)
	defer func() {
		if err != nil {
			_ = i.Close()
		}
	}()
	if err := i.choose(ctx, o); err != nil {
		return nil, err
	}
	if o.Works != "" {
		if err := i.hold(o.Works); err != nil {
			return nil, err
		}
	}
	if i.DB, err = db.Open(ctx, i.database()); err != nil {
		return nil, err
	}
	i.close = append(i.close, i.DB.Close)
	if err := i.claimDatabase(ctx); err != nil {
		return nil, err
	}
	if i.Trail, err = trail.Open(ctx, i.DB, trail.Options{Now: i.Now}); err != nil {
		return nil, err
	}
	if err := i.rest(ctx); err != nil {
		return nil, err
	}
	if err := i.makeData(); err != nil {
		return nil, err
	}
	return i, nil
}

// Look opens what is kept, with its vault, to look at it on nobody's word: no
// database, key, row or file is made, nothing is recorded, and nobody is asked for
// anything. Kind problem.NotFound where there is nothing whole to look at.
func Look(ctx context.Context, o Options) (_ *Installation, err error) {
	o.Prompt, o.Log = nil, nil
	i := newInstallation(o)
	i.look = true
	defer func() {
		if err != nil {
			_ = i.Close()
		}
	}()
	if err := i.choose(ctx, o); err != nil {
		return nil, err
	}
	if i.DB, err = db.Look(ctx, i.database()); err != nil {
		return nil, err
	}
	i.close = append(i.close, i.DB.Close)
	if err := i.isOurs(ctx); err != nil {
		return nil, err
	}
	if empty, err := i.DB.Empty(ctx, vault.Tables()...); err != nil || empty {
		return nil, problem.Wrap(err, problem.NotFound, "nothing is sealed here yet")
	}
	if i.Trail, err = trail.Open(ctx, i.DB, trail.Options{Now: i.Now}); err != nil {
		return nil, err
	}
	master, err := ParseMaster(o.Config.MasterKey, o)
	if err != nil {
		return nil, err
	}
	if i.Vault, err = vault.Open(ctx, i.DB, master, i.VaultOptions()); err != nil {
		return nil, err
	}
	if i.Vault.Unmarked() {
		return nil, problem.New(problem.NotFound, "this installation was not opened since rows are marked")
	}
	if i.Archive, err = i.archive(); err != nil {
		return nil, err
	}
	i.dial(o.Dial)
	if err := i.make(ctx); err != nil {
		return nil, err
	}
	return i, nil
}

// Kept says whether anything was ever kept here, without making it.
func Kept(ctx context.Context, o Options) (bool, error) {
	i := newInstallation(o)
	if err := i.choose(ctx, o); err != nil {
		return false, err
	}
	where := i.database()
	if strings.Contains(where, "://") {
		return true, nil
	}
	_, err := os.Stat(where)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return true, nil
}

func newInstallation(o Options) *Installation {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Installation{Config: o.Config, Actor: o.Actor, Log: o.Log, clock: &clock{now: o.Now}, getenv: o.Getenv}
}

// Books are the tables of all features whose rows are marked.
func Books() []*vault.Book {
	return slices.Concat(suite.Books(), posture.Books(), console.Books(), alert.Books(), mfa.Books(), provider.Books(), bridge.Books(),
		queue.Books(), move.Books(), contain.Books(), desk.Books(), budget.Books(), revoke.Books(), remedyrun.Books())
}

// VaultOptions are how this installation opens its vault.
func (i *Installation) VaultOptions() vault.Options {
	o := vault.Options{Now: i.Now, Log: i.Log, Record: i.Trail, Actor: i.Actor, Books: Books()}
	if i.look {
		o.Record = nil
	}
	return o
}

// OpenCloud gives a client of the cloud without anything that is kept: no
// database, no vault.
func OpenCloud(ctx context.Context, o Options) (*Installation, error) {
	i := newInstallation(o)
	if err := i.choose(ctx, o); err != nil {
		return nil, err
	}
	i.dial(o.Dial)
	return i, nil
}

func (i *Installation) dial(open func(msapi.Options) *msapi.Client) {
	if open == nil {
		open = msapi.New
	}
	o := msapi.Options{Now: i.Now, Log: i.Log}
	if i.lab != nil {
		o.RootCAs = i.lab.Roots
	}
	i.API = open(o)
	i.close = append(i.close, func() error { i.API.Close(); return nil })
}

// choose settles which cloud it is. A laboratory never takes the place of an
// installation by itself: only when nothing was ever kept for a real cloud.
func (i *Installation) choose(ctx context.Context, o Options) error {
	name := o.Config.Cloud
	if name == "" {
		name = string(partner.Public)
		if (o.Lab != nil || o.AtRest && i.labKept()) && o.Config.Database == "" && i.unused(ctx, filepath.Join(o.Config.Data, "partnerguard.db")) {
			name = LabName
		}
	}
	if name == LabName {
		if o.Lab == nil && o.AtRest && i.labKept() {
			i.Cloud = restingCloud()
			return nil
		}
		if o.Lab == nil {
			return problem.New(problem.NotFound, "no partner cloud is running").
				WithHint("start one with: partnerguard up, or partnerguard cloud; or name a real cloud with --cloud public")
		}
		i.lab, i.Cloud = o.Lab, o.Lab.Cloud()
		return i.clock.follow(ctx, o.Lab)
	}
	c, err := msapi.FindCloud(name)
	i.Cloud = c
	return err
}

// unused says that a database does not exist or holds nothing that somebody put
// there: who looked at the first steps of connect before starting the partner
// cloud has one. What cannot be read is in use.
func (i *Installation) unused(ctx context.Context, path string) bool {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return true
	}
	open := db.Open
	if i.look {
		open = db.Look
	}
	d, err := open(ctx, path)
	if err != nil {
		return false
	}
	defer d.Close()
	filled, err := d.Filled(ctx)
	return err == nil && !slices.ContainsFunc(filled, func(table string) bool { return !ofTheFirstLook(table) })
}

// ofTheFirstLook says that a table has rows also where nobody put anything in yet:
// a keyset that seals nothing, the trail's beginning, whose database it is, and
// what the queue keeps of itself. Any other table with a row is in use.
func ofTheFirstLook(table string) bool {
	return table == "settings" || table == vault.KeysetTable || strings.HasPrefix(table, "trail_") || strings.HasPrefix(table, "river_")
}

// database is where this cloud's data are. A laboratory's lie apart.
func (i *Installation) database() string {
	switch {
	case i.Lab():
		return filepath.Join(i.Config.Data, LabName, "partnerguard.db")
	case i.Config.Database != "":
		return i.Config.Database
	}
	return filepath.Join(i.Config.Data, "partnerguard.db")
}

// claimDatabase writes down whose database it is, and refuses another's: a
// connection of the laboratory must never stand beside a real one.
func (i *Installation) claimDatabase(ctx context.Context) error {
	if err := i.DB.Settle(ctx, whose, i.kind()); err != nil {
		return problem.Wrap(err, problem.Internal, "the database %s cannot be read", i.DB.Where())
	}
	return i.isOurs(ctx)
}

// whose is the setting that says whose a database is.
const whose = "installation"

func (i *Installation) kind() string {
	if i.Lab() {
		return LabName
	}
	return "microsoft"
}

func (i *Installation) isOurs(ctx context.Context) error {
	kind := i.kind()
	switch has, err := i.DB.Setting(ctx, whose); {
	case err != nil:
		return problem.Wrap(err, problem.Internal, "the database %s cannot be read", i.DB.Where())
	case has != kind:
		return problem.New(problem.Usage, "the database %s belongs to %s, not to %s", i.DB.Where(), has, kind).WithHint("name another folder with --data")
	}
	return nil
}

// master finds the vault's master key. A key file that the settings name is made
// for a vault that does not exist yet, and only then.
func (i *Installation) master(ctx context.Context, o Options) (vault.Master, error) {
	if o.master != nil {
		return o.master, nil
	}
	if path, is := strings.CutPrefix(o.Config.MasterKey, "file:"); is {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			empty, err := i.DB.Empty(ctx, vault.Tables()...)
			if err != nil {
				return nil, problem.Wrap(err, problem.Internal, "the vault cannot be read")
			}
			if empty {
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					return nil, problem.Wrap(err, problem.BadInput, "the folder of the master key %s cannot be made", path)
				}
				id, err := vault.MakeKeyFile(path)
				if _, serr := os.Stat(path); err != nil && serr == nil {
					return ParseMaster(o.Config.MasterKey, o) // another process was faster
				} else if err != nil {
					return nil, err
				}
				i.notes = append(i.notes, "made the vault's master key "+path+" ("+id+"): keep a copy elsewhere, without it nothing sealed opens")
			}
		}
	}
	return ParseMaster(o.Config.MasterKey, o)
}

// ParseMaster reads which master key a setting names.
func ParseMaster(spec string, o Options) (vault.Master, error) {
	e := vault.Env{Prompt: o.Prompt, LookupEnv: func(name string) (string, bool) { v := o.Getenv(name); return v, v != "" }, Credential: o.Key}
	if e.Credential == nil {
		e.Credential = func() (azcore.TokenCredential, error) { return azidentity.NewDefaultAzureCredential(nil) }
	}
	return vault.ParseMaster(spec, e)
}
