package attack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

func (h *house) restore(o app.RestoreOptions) (*app.Restored, error) {
	h.Helper()
	return app.Restore(h.Context(), h.options(), o)
}

// TestBackupWalk: an installation is backed up while it runs, lives on, is restored
// over itself and into empty places of either database; it works, and says what is
// older. Whatever is in the way is refused without a change.
func TestBackupWalk(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		h := build(t, newCloud(t), t.TempDir(), url)
		file := filepath.Join(h.dir, "b")
		s := h.must()
		if _, err := s.Serve(t.Context(), app.ServeOptions{}); err != nil {
			t.Fatal(err)
		}
		b, err := s.Backup(t.Context(), file, nil)
		h.ok(err)
		if b.Connections != 2 || len(b.Tenants) != 1 || len(b.Files) != 1 || b.Trail.Entries < 300 {
			t.Errorf("%+v", b.Manifest)
		}
		h.recorded(t, s, "backup.made")
		if _, err := h.restore(app.RestoreOptions{File: file, Replace: true}); !errors.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "in use") {
			t.Errorf("over one that runs: %v", err)
		}
		r, err := s.SAM.Renewer()
		h.ok(err)
		for range 2 {
			for _, id := range []string{h.first, h.second} {
				if res, err := r.Once(t.Context(), id); err != nil || res.Outcome != renew.Renewed {
					t.Fatal(res, err)
				}
			}
		}
		h.later(s)
		h.ok(s.Trail.Record(t.Context(), audit.Event{Action: audit.ConsentGranted, Outcome: audit.Done, Actor: "local:test", Object: h.fabrikam}))
		h.newKey(panelApp)
		if _, err := s.Keeper.Send(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		head, err := s.Trail.Head(t.Context())
		h.ok(err)
		h.ok(s.Close())
		t.Run("refused", func(t *testing.T) { h.refusals(t, file) })
		t.Run("elsewhere", func(t *testing.T) { h.elsewhere(t, file) })
		t.Run("over itself", func(t *testing.T) {
			x := h.at(t, h.dir, h.url)
			got, err := x.restore(app.RestoreOptions{File: file, Replace: true})
			x.ok(err)
			x.told(t, got, head.Seq)
			x.lives(t, "backup.restored", "database.accepted", "connection.accepted")
			s := x.must()
			defer func() { x.ok(s.Close()) }()
			f, err := s.Trail.Search(t.Context(), trail.Query{Action: "backup.restored"})
			if err != nil || len(f.Entries) != 1 || f.Entries[0].Seq != b.Trail.Entries+1 {
				t.Errorf("the first that it says is not that it was restored: %+v %v", f.Entries, err)
			}
			// The anchor keeps telling: what it has witnessed is not hidden.
			list, err := s.Keeper.Anchors()
			x.ok(err)
			known, err := s.Keeper.Verifiers(t.Context())
			x.ok(err)
			rep, err := s.Trail.VerifyAnchored(t.Context(), nil, known, list)
			if err != nil || rep.Bad != nil || !errors.Is(rep.Err(), problem.Unmet) {
				t.Errorf("%+v %v", rep, err)
			}
		})
	})
}

// told: what the backup does not know is said.
func (h *house) told(t *testing.T, got *app.Restored, now int64) {
	t.Helper()
	if got.Aside == "" || got.Since == nil || got.Since.Entries < 6 || got.Since.Actions[audit.ConnectionRenewed] != 4 {
		t.Fatalf("%q %+v %s", got.Aside, got.Since, got.Unknown)
	}
	for _, want := range []audit.Action{audit.ApprovalWithdrawn, audit.CredentialCreated, audit.ConsentGranted} {
		if !slices.ContainsFunc(got.Since.Acts, func(a app.Act) bool { return a.Action == want }) {
			t.Errorf("no word of %s", want)
		}
	}
	if a := got.Trail.Anchors; len(a) != 1 || a[0].Misfit != "" || a[0].Size <= got.Trail.Entries || a[0].Size > now || a[0].Fits == 0 ||
		got.Trail.Witnessed != a[0].Size {
		t.Errorf("%+v of %d", got.Trail, now)
	}
	for _, c := range got.Connections {
		if c.Life != app.Alive || !strings.Contains(strings.Join(c.Older, "\n"), "rotated 2 times after the backup") {
			t.Errorf("%+v", c)
		}
	}
	notes := strings.Join(got.Notes, "\n")
	if !strings.Contains(notes, "was withdrawn on") || !strings.Contains(notes, "invitation "+h.invited+" was used or withdrawn") {
		t.Errorf("%q", notes)
	}
	older := ""
	for _, a := range got.Apps {
		older += a.ClientID + " " + strings.Join(a.Older, "; ") + "\n"
	}
	if len(got.Connections) != 2 || !strings.Contains(older, panelApp+" it got another credential here after the backup") ||
		!strings.Contains(older, "a certificate at Microsoft since") || strings.Contains(older, northApp+" it has") {
		t.Errorf("%d connections, apps %q", len(got.Connections), older)
	}
}

// lives: a restored installation does what it did.
func (h *house) lives(t *testing.T, acts ...string) {
	t.Helper()
	s := h.must()
	defer func() { h.ok(s.Close()) }()
	for _, n := range s.Notes() {
		t.Errorf("it says %q", n)
	}
	h.works(t, s, acts...)
	if got := h.door(s)("billing"); got.status != 200 || got.token == "" {
		t.Errorf("no token: %d %s", got.status, got.body)
	}
	if c, err := s.Vault.Check(t.Context(), nil); err != nil || c.Bad+c.Forged != 0 || c.Rows == 0 {
		t.Errorf("%+v %v", c, err)
	}
	if rep, err := s.Trail.Verify(t.Context(), nil); err != nil || rep.Err() != nil {
		t.Errorf("%+v %v", rep, err)
	}
	if _, err := s.Serve(t.Context(), app.ServeOptions{}); err != nil {
		t.Error(err)
	}
}

// elsewhere restores into empty places, of both databases.
func (h *house) elsewhere(t *testing.T, file string) {
	for name, url := range map[string]string{"sqlite": "", "postgres": dbtest.PostgresURL(t)} {
		x := h.at(t, t.TempDir(), url)
		copyTo(t, filepath.Join(h.dir, "anchor"), filepath.Join(x.dir, "anchor"))
		raw, err := os.ReadFile(filepath.Join(h.dir, "key"))
		x.ok(err)
		if _, err := x.restore(app.RestoreOptions{File: file}); !errors.Is(err, problem.NotFound) ||
			!strings.Contains(err.Error(), "wants the master key key:") {
			t.Errorf("%s: without its key: %v", name, err)
		}
		x.ok(os.WriteFile(filepath.Join(x.dir, "key"), raw, 0o600))
		if name == "sqlite" { // nobody is asked
			y := x.at(t, t.TempDir(), url)
			y.ok(os.WriteFile(filepath.Join(y.dir, "key"), raw, 0o600))
			got, err := y.restore(app.RestoreOptions{File: file, Offline: true})
			if err != nil || got.Asked || len(got.Connections) != 2 || got.Connections[0].Life != app.NotAsked || len(y.net.seen()) != 0 {
				t.Errorf("offline: %+v %v", got, err)
			}
		}
		got, err := x.restore(app.RestoreOptions{File: file})
		x.ok(err)
		if got.Aside != "" || got.Since != nil || got.Unknown == "" || got.Trail.Anchors[0].Size <= got.Trail.Entries {
			t.Errorf("%s: %+v", name, got)
		}
		for _, c := range got.Connections {
			if c.Life != app.Alive {
				t.Errorf("%s: %+v", name, c)
			}
		}
		x.lives(t, "backup.restored", "connection.accepted")
	}
}

// refusals change nothing.
func (h *house) refusals(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	h.ok(err)
	flipped := slices.Clone(raw)
	flipped[len(raw)/2] ^= 1
	was := h.all()
	same := func(name string) {
		t.Helper()
		if now := h.all(); now != was {
			t.Errorf("%s: the database changed", name)
		}
		if list, _ := filepath.Glob(filepath.Join(h.data(), "*restor*")); len(list) != 0 {
			t.Errorf("%s: left %v", name, list)
		}
	}
	for name, c := range map[string]struct {
		o    app.RestoreOptions
		want error
	}{
		"not empty": {app.RestoreOptions{}, problem.Usage},
		"cut":       {app.RestoreOptions{Replace: true, File: h.write("cut", raw[:len(raw)-100])}, problem.BadInput},
		"flipped":   {app.RestoreOptions{Replace: true, File: h.write("flipped", flipped)}, problem.BadInput},
		"no backup": {app.RestoreOptions{Replace: true, File: h.write("none", []byte("something else"))}, problem.BadInput},
		"no file":   {app.RestoreOptions{Replace: true, File: filepath.Join(h.dir, "no")}, problem.NotFound},
		"a folder":  {app.RestoreOptions{Replace: true, File: h.dir}, problem.BadInput},
		"wrong key": {app.RestoreOptions{Replace: true, Key: "file:" + h.otherKey()}, vault.ErrWrongMaster},
		"no key":    {app.RestoreOptions{Replace: true, Key: "file:" + filepath.Join(h.dir, "nokey")}, problem.NotFound},
	} {
		if c.o.File == "" {
			c.o.File = file
		}
		if got, err := h.restore(c.o); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v", name, err)
		}
		same(name)
	}
	// Ended by hand at each step.
	for _, at := range []string{"verifying", "restoring"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := app.Restore(ctx, h.options(), app.RestoreOptions{File: file, Replace: true, Tell: func(what string, _, _ int64) {
			if what == at {
				cancel()
			}
		}})
		if cancel(); err == nil {
			t.Errorf("%s: it was interrupted", at)
		}
		same(at)
	}
	// Another installation is not restored over without a word more.
	other := build(t, h.cloud, t.TempDir(), "")
	h.ok(os.Rename(filepath.Join(other.dir, "key"), filepath.Join(other.dir, "key2")))
	key, err := os.ReadFile(filepath.Join(h.dir, "key"))
	h.ok(err)
	h.ok(os.WriteFile(filepath.Join(other.dir, "key"), key, 0o600))
	o := other.at(t, other.dir, "")
	if _, err := o.restore(app.RestoreOptions{File: file, Replace: true}); !errors.Is(err, problem.Usage) ||
		!strings.Contains(err.Error(), "another installation") {
		t.Errorf("another: %v", err)
	}
	got, err := o.restore(app.RestoreOptions{File: file, Replace: true, Another: true})
	if err != nil || got.Aside == "" || got.Since != nil {
		t.Errorf("another, with a word: %+v %v", got, err)
	}
}

// otherKey makes a key that opens nothing here.
func (h *house) otherKey() string {
	h.Helper()
	path := filepath.Join(h.TempDir(), "other")
	_, err := vault.MakeKeyFile(path)
	h.ok(err)
	return path
}

func (h *house) write(name string, raw []byte) string {
	h.Helper()
	path := filepath.Join(h.dir, name)
	h.ok(os.WriteFile(path, raw, 0o600))
	return path
}

// all is every row of every table.
func (h *house) all() string {
	h.Helper()
	p := h.pen()
	defer p.Close()
	var out strings.Builder
	for _, x := range p.tables() {
		out.WriteString(x.name)
		for _, r := range x.rows {
			fmt.Fprintf(&out, "%q\n", r)
		}
	}
	return out.String()
}
