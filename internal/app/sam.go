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
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"partnerguard/internal/automation"
	"partnerguard/internal/config"
	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// SAMOptions are what an installation is opened with.
type SAMOptions struct {
	Config *config.Config                         // required
	Lab    *Lab                                   // the local partner cloud that runs; nil when none
	Actor  string                                 // who does it, for the audit trail; required
	Now    func() time.Time                       // the machine's clock; required
	Log    *slog.Logger                           // nil discards
	Getenv func(string) string                    // required
	Prompt vault.Prompt                           // asks a person; nil where there is none
	Key    func() (azcore.TokenCredential, error) // for Azure Key Vault; nil is DefaultAzureCredential
}

// SAM is an open installation of the Secure Application Model: the database
// with vault and trail, and a client of one cloud. Close it.
type SAM struct {
	Config *config.Config
	Cloud  msapi.Cloud
	DB     *db.DB
	Trail  *trail.Trail
	Vault  *vault.Vault
	Store  *sam.Store
	API    *msapi.Client
	Actor  string
	Log    *slog.Logger

	lab      *Lab
	past     *past
	words    *words // records what the past is believed by; nil without the vault
	exchange *exchange.Exchange
	clock    *clock
	notes    []string
	close    []func() error
}

// Now is the installation's time: the machine's, or the partner cloud's.
func (s *SAM) Now() time.Time { return s.clock.Now() }

// Lab says whether this is the local partner cloud's installation.
func (s *SAM) Lab() bool { return s.Cloud.Name == LabName }

// LabInfo is what the local partner cloud says of itself; nil where it is not
// running.
func (s *SAM) LabInfo() *Lab { return s.lab }

// Notes are what a person should be told of how it was opened.
func (s *SAM) Notes() []string { return s.notes }

// Close ends everything in order.
func (s *SAM) Close() error {
	var err error
	for i := len(s.close) - 1; i >= 0; i-- {
		err = errors.Join(err, s.close[i]())
	}
	s.close = nil
	return err
}

// OpenSAM opens the installation, and makes it where there is none: the
// database, its key file, the vault.
func OpenSAM(ctx context.Context, o SAMOptions) (_ *SAM, err error) {
	s, err := OpenData(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	master, err := s.master(ctx, o)
	if err != nil {
		return nil, err
	}
	if s.Vault, err = vault.Open(ctx, s.DB, master, s.VaultOptions()); err != nil {
		return nil, err
	}
	// The cloud's addresses come from here, and never out of the database.
	s.Store = sam.NewStore(s.DB, s.Vault, s.Now, s.Cloud)
	if s.words, err = s.openWords(ctx); err != nil {
		return nil, err
	}
	if err := s.trust(ctx); err != nil {
		return nil, err
	}
	if s.past, err = s.remember(ctx); err != nil {
		return nil, err
	}
	s.Store.Remember(s.past)
	s.close = append(s.close, func() error {
		if err := s.past.leave(context.Background()); err != nil { // what was done is done
			s.Log.Warn("how far the database is was not written down", "error", err)
		}
		return nil
	})
	s.dial()
	return s, nil
}

// OpenData opens the database with the audit trail, and not the vault: for what
// needs no secret, or mends the vault.
func OpenData(ctx context.Context, o SAMOptions) (_ *SAM, err error) {
	s := newSAM(o)
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if err := s.choose(ctx, o); err != nil {
		return nil, err
	}
	if s.DB, err = db.Open(ctx, s.database()); err != nil {
		return nil, err
	}
	s.close = append(s.close, s.DB.Close)
	if err := s.claimDatabase(ctx); err != nil {
		return nil, err
	}
	if s.Trail, err = trail.Open(ctx, s.DB, trail.Options{Now: s.Now}); err != nil {
		return nil, err
	}
	return s, nil
}

// Kept says whether anything was ever kept here, without making it.
func Kept(ctx context.Context, o SAMOptions) (bool, error) {
	s := newSAM(o)
	if err := s.choose(ctx, o); err != nil {
		return false, err
	}
	where := s.database()
	if strings.Contains(where, "://") {
		return true, nil
	}
	_, err := os.Stat(where)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return true, nil
}

func newSAM(o SAMOptions) *SAM {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &SAM{Config: o.Config, Actor: o.Actor, Log: o.Log, clock: &clock{now: o.Now}}
}

// VaultOptions are how this installation opens its vault.
func (s *SAM) VaultOptions() vault.Options {
	return vault.Options{Now: s.Now, Log: s.Log, Record: s.Trail, Actor: s.Actor, Books: Books()}
}

// OpenCloud gives a client of the cloud without anything that is kept: no
// database, no vault.
func OpenCloud(ctx context.Context, o SAMOptions) (*SAM, error) {
	s := newSAM(o)
	if err := s.choose(ctx, o); err != nil {
		return nil, err
	}
	s.dial()
	return s, nil
}

func (s *SAM) dial() {
	o := msapi.Options{Now: s.Now, Log: s.Log}
	if s.lab != nil {
		o.RootCAs = s.lab.Roots
	}
	s.API = msapi.New(o)
	s.close = append(s.close, func() error { s.API.Close(); return nil })
}

// choose settles which cloud it is. A laboratory never takes the place of an
// installation by itself: only when nothing was ever kept for a real cloud.
func (s *SAM) choose(ctx context.Context, o SAMOptions) error {
	name := o.Config.Cloud
	if name == "" {
		name = string(partner.Public)
		if o.Lab != nil && o.Config.Database == "" && unused(ctx, filepath.Join(o.Config.Data, "partnerguard.db")) {
			name = LabName
		}
	}
	if name == LabName {
		if o.Lab == nil {
			return problem.New(problem.NotFound, "no partner cloud is running").WithHint("start one with: partnerguard cloud; or name a real cloud with --cloud public")
		}
		s.lab, s.Cloud = o.Lab, o.Lab.Cloud()
		return s.clock.follow(ctx, o.Lab)
	}
	c, err := msapi.FindCloud(name)
	s.Cloud = c
	return err
}

// unused says that a database does not exist or holds nothing that somebody put
// there: who looked at the first steps of connect before starting the partner
// cloud has one. What cannot be read is in use.
func unused(ctx context.Context, path string) bool {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return true
	}
	d, err := db.Open(ctx, path)
	if err != nil {
		return false
	}
	defer d.Close()
	tables := append(vault.Tables(), automation.Table)
	for _, b := range Books() {
		tables = append(tables, b.Table)
	}
	// A keyset that seals nothing is of the first look.
	empty, err := d.Empty(ctx, slices.DeleteFunc(tables, func(t string) bool { return t == vault.KeysetTable })...)
	return err == nil && empty
}

// database is where this cloud's data are. A laboratory's lie apart.
func (s *SAM) database() string {
	switch {
	case s.Lab():
		return filepath.Join(s.Config.Data, LabName, "partnerguard.db")
	case s.Config.Database != "":
		return s.Config.Database
	}
	return filepath.Join(s.Config.Data, "partnerguard.db")
}

// claimDatabase writes down whose database it is, and refuses another's: a
// connection of the laboratory must never stand beside a real one.
func (s *SAM) claimDatabase(ctx context.Context) error {
	kind := "microsoft"
	if s.Lab() {
		kind = LabName
	}
	const name = "installation"
	has := ""
	err := s.DB.Settle(ctx, name, kind)
	if err == nil {
		has, err = s.DB.Setting(ctx, name)
	}
	switch {
	case err != nil:
		return problem.Wrap(err, problem.Internal, "the database %s cannot be read", s.DB.Where())
	case has != kind:
		return problem.New(problem.Usage, "the database %s belongs to %s, not to %s", s.DB.Where(), has, kind).WithHint("name another folder with --data")
	}
	return nil
}

// master finds the vault's master key. A key file that the settings name is made
// for a vault that does not exist yet, and only then.
func (s *SAM) master(ctx context.Context, o SAMOptions) (vault.Master, error) {
	if path, is := strings.CutPrefix(o.Config.MasterKey, "file:"); is {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			empty, err := s.DB.Empty(ctx, vault.Tables()...)
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
				s.notes = append(s.notes, "made the vault's master key "+path+" ("+id+"): keep a copy elsewhere, without it nothing sealed opens")
			}
		}
	}
	return ParseMaster(o.Config.MasterKey, o)
}

// ParseMaster reads which master key a setting names.
func ParseMaster(spec string, o SAMOptions) (vault.Master, error) {
	e := vault.Env{Prompt: o.Prompt, LookupEnv: func(name string) (string, bool) { v := o.Getenv(name); return v, v != "" }, Credential: o.Key}
	if e.Credential == nil {
		e.Credential = func() (azcore.TokenCredential, error) { return azidentity.NewDefaultAzureCredential(nil) }
	}
	return vault.ParseMaster(spec, e)
}
