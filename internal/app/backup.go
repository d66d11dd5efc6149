//go:build !judge

package app

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/audit"
	"partnerguard/internal/backup"
	"partnerguard/internal/db"
	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// backedUp is the setting of a database that says when it was backed up last.
const backedUp = "backed-up"

// lastBackup is watched: when the last backup was made.
type lastBackup struct{ d *db.DB }

// Metrics adds when the last backup was made. There is none before the first.
func (l lastBackup) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_backup_last_timestamp_seconds", "When the last backup of everything was made.", "",
		func(ctx context.Context) (map[string]float64, error) {
			at, err := l.at(ctx)
			if err != nil || at.IsZero() {
				return nil, err
			}
			return map[string]float64{"": float64(at.Unix())}, nil
		})
}

// at is when it was made; zero before the first.
func (l lastBackup) at(ctx context.Context) (time.Time, error) {
	if has, err := l.d.HasTable(ctx, "settings"); err != nil || !has {
		return time.Time{}, err
	}
	v, err := l.d.Setting(ctx, backedUp)
	if err != nil || v == "" {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, v)
}

// program says which build this is, in a word.
func program() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v == "devel" {
			v += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return v
}

// maxBackupFile is how much of a settings file is taken up.
const maxBackupFile = 1 << 20

// besides are the files of an installation beside its database, by name.
func (i *Installation) besides() (list []backup.File) {
	for _, f := range []backup.File{{Name: "settings", Path: i.Config.File()}, {Name: "policy", Path: i.Config.Broker.Policy},
		{Name: "client-ca", Path: i.Config.Broker.ClientCA}} {
		if f.Path != "" {
			list = append(list, f)
		}
	}
	return list
}

// absent is what the installation needs and a backup never has.
func (i *Installation) absent() (list []backup.Absent) {
	for _, l := range i.Config.Lines() {
		if l.Name == "masterKey" {
			list = append(list, backup.Absent{What: "the vault's master key, without which the backup does not open", Where: l.Value})
		}
	}
	if i.Config.Web.TLSKey != "" {
		list = append(list, backup.Absent{What: "the server's certificate and its key", Where: i.Config.Web.TLSCertificate + ", " + i.Config.Web.TLSKey})
	}
	for _, a := range i.Config.Anchor.Places {
		if a.Secret != "" {
			list = append(list, backup.Absent{What: "the secret of the anchor " + a.String(), Where: a.Secret})
		}
		if a.Roots != "" {
			list = append(list, backup.Absent{What: "the roots of the anchor " + a.String(), Where: a.Roots})
		}
	}
	return list
}

// Backup writes everything that is kept here into one file, whole or not at all:
// every table of the database, the sealed vault among them, and the settings. It is
// of one moment, and what runs goes on. A trail that does not hold is refused, kind
// problem.Unmet: it could not be restored. tell, if not nil, hears how many rows were
// written, of how many. The trail says that it was made.
func (i *Installation) Backup(ctx context.Context, file string, tell func(done, of int64)) (backup.Backup, error) {
	s := backup.Source{DB: i.DB, Vault: i.Vault, Tell: tell, Files: map[string][]byte{}}
	files, absent := []backup.File{}, i.absent()
	for _, f := range i.besides() {
		raw, err := problem.ReadFile("the file", f.Path, maxBackupFile)
		if err != nil {
			absent = append(absent, backup.Absent{What: "the file of the setting " + f.Name + ", which could not be read", Where: f.Path})
			continue
		}
		files, s.Files[f.Name] = append(files, f), raw
	}
	s.Describe = func(ctx context.Context, m *backup.Manifest) error {
		for _, a := range i.keptApart(ctx) {
			absent = append(absent, backup.Absent{What: a[0], Where: a[1]})
		}
		m.Program, m.Installation, m.Files, m.Absent = program(), i.kind(), files, absent
		// What could not be restored does not take the place of what can.
		rep, err := i.Trail.Verify(ctx, nil)
		if err != nil {
			return err
		}
		if err := rep.Err(); err != nil {
			return problem.Wrap(err, problem.Unmet, "nothing was backed up: %s", err).
				WithHint("keep the last backup, and a copy of the database as it is; partnerguard vault backup writes the sealed secrets alone")
		}
		m.Trail = backup.Trail{Entries: rep.Head.Seq, Root: rep.Head.Hash.String()}
		if m.Trail.Origin, err = i.Trail.Origin(ctx); err != nil {
			return err
		}
		list, err := i.SAM.Store.List(ctx)
		if err != nil {
			return err
		}
		m.Connections, m.Tenants = len(list), []string{}
		for _, c := range list {
			if t := strings.ToLower(c.Tenant); !slices.Contains(m.Tenants, t) && len(m.Tenants) < 100 {
				m.Tenants = append(m.Tenants, t)
			}
		}
		return nil
	}
	b, err := backup.WriteFile(ctx, file, i.Vault.Master(), s)
	if err != nil {
		return b, err
	}
	return b, i.DB.InTx(ctx, func(ctx context.Context) error {
		if err := i.DB.SetSetting(ctx, backedUp, b.Made.UTC().Format(time.RFC3339)); err != nil {
			return err
		}
		return i.Trail.Record(ctx, audit.Event{Action: audit.BackupMade, Outcome: audit.Done, Actor: i.Actor, Object: b.Vault,
			Details: map[string]string{"entries": strconv.FormatInt(b.Trail.Entries, 10), "rows": strconv.FormatInt(b.Rows, 10), "sha256": b.SHA256}})
	})
}

// CheckBackup reads a whole backup, and puts nothing anywhere. key says which master
// key, "" the one of the settings.
func CheckBackup(ctx context.Context, o Options, file, key string, tell func(done, of int64)) (backup.Backup, error) {
	f, m, err := openBackup(o, file, key)
	if err != nil {
		return backup.Backup{}, err
	}
	defer f.Close()
	return readBackup(ctx, f, m, backup.Sink{Tell: tell})
}

func openBackup(o Options, file, key string) (*os.File, vault.Master, error) {
	if key == "" {
		key = o.Config.MasterKey
	}
	m, err := ParseMaster(key, o)
	if err != nil {
		return nil, nil, err
	}
	f, err := backup.Open(file)
	return f, m, err
}

// readBackup reads a backup; where its master key is not there it says which one it
// wants.
func readBackup(ctx context.Context, f *os.File, m vault.Master, s backup.Sink) (backup.Backup, error) {
	who, err := vault.PeekStream(f, backup.Line)
	if err != nil {
		if vault.IsBackup(f) {
			return backup.Backup{}, problem.Wrap(err, problem.BadInput, "%s is a backup of the vault alone", f.Name()).
				WithHint("partnerguard vault restore --from %s brings the sealed secrets back, and no connection", f.Name())
		}
		return backup.Backup{}, ofFile(f, err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		return backup.Backup{}, problem.Wrap(err, problem.BadInput, "the backup %s cannot be read", f.Name())
	}
	b, err := backup.Read(ctx, f, m, s)
	if errors.Is(err, problem.NotFound) {
		return b, problem.Wrap(err, problem.NotFound, "the backup wants the master key %s: %s", who.Master, err).
			WithHint("bring that key back first: it is never in a backup; --key names another place")
	}
	return b, ofFile(f, err)
}

// ofFile says which file is damaged.
func ofFile(f *os.File, err error) error {
	if !errors.Is(err, vault.ErrDamaged) {
		return err
	}
	return problem.Wrap(err, problem.BadInput, "%s: %s", f.Name(), public(err)).WithHint("%s", problem.HintOf(err))
}
