//go:build !judge

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/backup"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
	"partnerguard/internal/vault"
)

// RestoreOptions say what is restored, and over what.
type RestoreOptions struct {
	File    string
	Key     string // the master key of the backup; "" the one of the settings
	Replace bool   // what stands there is kept aside
	Another bool   // also where that is another installation
	Offline bool   // neither Microsoft nor the anchors are asked
	// Tell, if not nil, hears what is done, and how much of how much.
	Tell func(what string, done, of int64)
}

// Restored is what came of it.
type Restored struct {
	Backup   backup.Backup  `json:"backup"`
	Database string         `json:"database"`
	Schema   int64          `json:"schema"`          // that it has now
	Aside    string         `json:"aside,omitempty"` // where that is kept which stood there
	Trail    RestoredTrail  `json:"trail"`
	Since    *Since         `json:"since,omitempty"` // what was done after the backup
	Unknown  string         `json:"sinceUnknown,omitempty"`
	Files    []RestoredFile `json:"files"`
	// Connections and Apps are what Microsoft said of them, where it was asked.
	Connections []RestoredConnection `json:"connections"`
	Apps        []RestoredApp        `json:"apps"`
	Asked       bool                 `json:"asked"`
	Notes       []string             `json:"notes,omitempty"`
}

// RestoredTrail is where the trail goes on from, and who knows of more.
type RestoredTrail struct {
	Entries   int64          `json:"entries"` // of the backup
	Witnessed int64          `json:"witnessed"`
	Anchors   []trail.Beyond `json:"anchors"`
}

// RestoredFile is a file beside the database.
type RestoredFile struct {
	Name string `json:"name"`
	Was  string `json:"was"`            // where it stood when the backup was made
	Path string `json:"path,omitempty"` // where it is now
	How  string `json:"how"`            // "restored", "same", "beside": another stands in its place
}

// Restore puts a backup into the place of this installation: an empty one, or with
// Replace any, which is kept aside. All of the backup is verified before anything
// changes, and the database is in its place whole or not at all. The restored trail
// says first of all that it was restored, and how much the anchors have witnessed
// that is not in it. Then each connection is taken into use again and, unless
// Offline, renewed.
//
// Kind problem.Usage says that it was refused for what stands there,
// problem.Conflict that it is in use, problem.BadInput that the backup is not good.
func Restore(ctx context.Context, o Options, r RestoreOptions) (*Restored, error) {
	if r.Tell == nil {
		r.Tell = func(string, int64, int64) {}
	}
	if r.Key != "" {
		c := *o.Config
		c.MasterKey = r.Key
		o.Config = &c
	}
	f, m, err := openBackup(o, r.File, "")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	o.master = m // a passphrase is asked for once
	i := newInstallation(o)
	if err := i.choose(ctx, o); err != nil {
		return nil, err
	}
	out := &Restored{Files: []RestoredFile{}, Connections: []RestoredConnection{}, Apps: []RestoredApp{}, Asked: !r.Offline}
	out.Backup, err = readBackup(ctx, f, m, backup.Sink{Tell: func(done, of int64) { r.Tell("verifying", done, of) }})
	if err != nil {
		return nil, err
	}
	at := i.database()
	was, err := i.mayReplace(ctx, at, &out.Backup, r)
	if err != nil {
		return nil, err
	}
	out.Since, out.Unknown = was.since, was.unknown
	if err := i.putInPlace(ctx, f, m, at, out, r); err != nil {
		return nil, err
	}
	if err := i.takeUp(ctx, o, out, r); err != nil {
		return out, err
	}
	return out, nil
}

// mayReplace refuses to restore over what must not be replaced.
func (i *Installation) mayReplace(ctx context.Context, at string, b *backup.Backup, r RestoreOptions) (standing, error) {
	if b.Installation != i.kind() {
		return standing{}, problem.New(problem.Usage, "the backup is of %s, and this installation of %s", b.Installation, i.kind()).
			WithHint("where the local partner cloud runs, --cloud public means Microsoft's; its own backups need it to run")
	}
	if err := db.Free(ctx, at); err != nil {
		return standing{}, err
	}
	was, err := i.standing(ctx, at, b)
	switch {
	case err != nil:
		return was, err
	case was.used && !r.Replace:
		return was, problem.New(problem.Usage, "something is kept here already, and a backup is restored into an empty place").
			WithHint("--replace keeps what stands here aside; --data names another folder")
	case was.used && was.another && !r.Another:
		return was, problem.New(problem.Usage, "what is kept here is another installation than the backup's (trail %s)", b.Trail.Origin).
			WithHint("is it the right file, and the right --data? --replace --another restores over it all the same, and keeps it aside")
	}
	return was, nil
}

// putInPlace loads the backup beside the place, looks at it, and puts it there.
func (i *Installation) putInPlace(ctx context.Context, f *os.File, m vault.Master, at string, out *Restored, r RestoreOptions) (err error) {
	b := &out.Backup
	st, err := db.NewStage(ctx, at, b.Schema)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Drop(context.WithoutCancel(ctx))) }()
	files := map[string][]byte{}
	if err := i.load(ctx, f, m, st.DB, b, files, r); err != nil {
		return err
	}
	if err := st.Raise(ctx); err != nil {
		return err
	}
	tr, err := trail.Open(ctx, st.DB, trail.Options{Now: i.Now})
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, st.DB, m, vault.Options{Now: i.Now, Books: Books()})
	if err != nil {
		return err
	}
	if err := i.witnesses(ctx, tr, v, out, r); err != nil {
		return err
	}
	e := audit.Event{Action: audit.BackupRestored, Outcome: audit.Done, Actor: i.Actor, Object: b.Vault,
		Reason: fmt.Sprintf("a backup of %s was put into place: the trail goes on from entry %d", b.Made.UTC().Format(time.RFC3339), b.Trail.Entries),
		Details: map[string]string{"made": b.Made.UTC().Format(time.RFC3339), "entries": strconv.FormatInt(b.Trail.Entries, 10), "root": b.Trail.Root,
			"witnessed": strconv.FormatInt(out.Trail.Witnessed, 10), "sha256": b.SHA256, "program": b.Program}}
	if out.Since != nil {
		e.Details["lost"] = strconv.FormatInt(out.Since.Entries, 10)
	}
	if err := tr.Record(ctx, e); err != nil {
		return err
	}
	if out.Schema, err = st.Schema(ctx); err != nil {
		return err
	}
	out.Database = st.Where()
	if st.Dialect == db.SQLite {
		out.Database = at
	}
	if out.Aside, err = st.Install(ctx, i.clock.now()); err != nil {
		return err
	}
	return i.files(out, files)
}

// load puts the rows into the stage, in one transaction.
func (i *Installation) load(ctx context.Context, f *os.File, m vault.Master, d *db.DB, b *backup.Backup, files map[string][]byte, r RestoreOptions) error {
	if _, err := f.Seek(0, 0); err != nil {
		return problem.Wrap(err, problem.BadInput, "the backup %s cannot be read twice", f.Name())
	}
	var again backup.Backup
	err := d.InTx(ctx, func(ctx context.Context) (err error) {
		l := &backup.Loader{DB: d}
		s := l.Sink(ctx)
		s.Tell = func(done, of int64) { r.Tell("restoring", done, of) }
		s.File = func(x backup.File, body []byte) error { files[x.Name] = bytes.Clone(body); return nil }
		again, err = backup.Read(ctx, f, m, s)
		return errors.Join(err, l.Close())
	})
	if err != nil {
		return err
	}
	if again.SHA256 != b.SHA256 {
		return problem.New(problem.BadInput, "the backup %s changed while it was read", f.Name()).WithHint("nothing was changed; try again")
	}
	return nil
}

// witnesses holds the restored trail to what the backup says of it, and asks the
// anchors how much they know beyond it.
func (i *Installation) witnesses(ctx context.Context, tr *trail.Trail, v *vault.Vault, out *Restored, r RestoreOptions) error {
	b := &out.Backup
	rep, err := tr.Verify(ctx, nil)
	if err == nil {
		err = rep.Err()
	}
	if err != nil {
		return err
	}
	if rep.Head.Seq != b.Trail.Entries || rep.Head.Hash.String() != b.Trail.Root {
		return problem.New(problem.BadInput, "the backup's trail is not the one that its manifest names").WithHint("take another backup; nothing was changed")
	}
	out.Trail = RestoredTrail{Entries: b.Trail.Entries, Anchors: []trail.Beyond{}}
	if r.Offline {
		return nil
	}
	k := anchor.NewKeeper(anchor.Deps{Trail: tr, Vault: v, Config: &i.Config.Anchor, Origin: i.Config.Origin, Log: i.Log})
	list, err := k.Anchors()
	if err != nil {
		return err
	}
	known, err := k.Verifiers(ctx)
	if err != nil {
		return err
	}
	if out.Trail.Anchors, err = tr.Beyond(ctx, known, list); err != nil {
		return err
	}
	for _, a := range out.Trail.Anchors {
		out.Trail.Witnessed = max(out.Trail.Witnessed, a.Size)
	}
	return nil
}

// files puts the settings back where there are none, and all else beside them: a
// backup never says where a file goes.
func (i *Installation) files(out *Restored, files map[string][]byte) error {
	place := i.Config.Place()
	beside := filepath.Join(filepath.Dir(place), "restored-"+out.Backup.Made.UTC().Format("20060102t150405z"))
	for _, f := range out.Backup.Files {
		x, body := RestoredFile{Name: f.Name, Was: f.Path}, files[f.Name]
		to := map[string]string{"settings": place, "policy": i.Config.Broker.Policy, "client-ca": i.Config.Broker.ClientCA}[f.Name]
		if to != "" {
			has, err := os.ReadFile(to)
			switch {
			case err == nil && bytes.Equal(has, body):
				x.Path, x.How = to, "same"
				out.Files = append(out.Files, x)
				continue
			case errors.Is(err, fs.ErrNotExist):
				x.Path, x.How = to, "restored"
			}
		}
		if x.Path == "" {
			x.Path, x.How = filepath.Join(beside, f.Name), "beside"
		}
		if err := newFile(x.Path, body); err != nil {
			out.Notes = append(out.Notes, fmt.Sprintf("the file of %s could not be written to %s%s", f.Name, x.Path, problem.Reason(err)))
			continue
		}
		out.Files = append(out.Files, x)
	}
	return nil
}

// newFile writes a file that is not there yet, for its owner alone.
func newFile(path string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".restored-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // nothing to remove once renamed
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	err = os.Link(f.Name(), path) // which never replaces
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return os.Rename(f.Name(), path)
	}
	return err
}
