package attack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// newKey gives an app a certificate at Microsoft that nobody here knows.
func (h *house) newKey(app string) {
	h.Helper()
	h.lab().Jump(2 * time.Second)
	h.ok(h.s.World.Do(func(st *world.State) error {
		t, a := st.App(app)
		t.Apps.Change(a.ID, func(a *world.Application) {
			now := h.s.World.Clock.Now()
			a.Keys = append(a.Keys, world.KeyCredential{KeyID: "00000099-0000-4000-8000-000000000000", Type: "AsymmetricX509Cert", Usage: "Verify",
				Start: now, End: now.Add(300 * 24 * time.Hour), DER: h.callers["billing"].Raw})
		})
		st.Dirty()
		return nil
	}))
}

// TestRestoreIsNoLicense: a row that something else wrote before the backup is as
// little used after it as it was, and one whose account was signed out everywhere is
// told as dead.
func TestRestoreIsNoLicense(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		h := build(t, newCloud(t), t.TempDir(), url)
		p := h.pen()
		if _, err := p.Exec("UPDATE connections SET name = 'forged' WHERE id = '" + h.second + "'"); err != nil {
			t.Fatal(err)
		}
		_ = p.Close()
		s := h.must()
		file := filepath.Join(h.dir, "b")
		_, err := s.Backup(t.Context(), file, nil)
		h.ok(err)
		h.ok(s.Close())
		h.lab().Graph("POST", "/v1.0/users/sam-agent@contoso.com/revokeSignInSessions", "")
		h.net.seen()
		got, err := h.restore(app.RestoreOptions{File: file, Replace: true})
		h.ok(err)
		lives := map[string]app.RestoredConnection{}
		for _, c := range got.Connections {
			lives[c.ID] = c
		}
		if c := lives[h.second]; c.Life != app.HeldBack || !strings.Contains(c.Words, "not as partnerguard wrote it") {
			t.Errorf("forged: %+v", c)
		}
		if c := lives[h.first]; c.Life != app.Dead || c.Words == "" || !strings.Contains(c.Heal, "partnerguard connect") {
			t.Errorf("signed out: %+v", c)
		}
		s = h.must()
		defer func() { h.ok(s.Close()) }()
		if c, err := s.Vault.Check(t.Context(), nil); err != nil || c.Forged != 1 {
			t.Errorf("%+v %v", c, err)
		}
		r, err := s.SAM.Renewer()
		h.ok(err)
		if res, err := r.Once(t.Context(), h.second); err != nil || res.Outcome != renew.Held {
			t.Errorf("%+v %v", res, err)
		}
	})
}

// TestRestoreKilled kills a restore: before it is in its place nothing changed, and
// after that the database is whole and held back until a person's word.
func TestRestoreKilled(t *testing.T) {
	if at := os.Getenv("PARTNERGUARD_TEST_RESTORE"); at != "" {
		restoreAndWait(t, at)
		return
	}
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		h := build(t, newCloud(t), t.TempDir(), url)
		s := h.must()
		file := filepath.Join(h.dir, "b")
		_, err := s.Backup(t.Context(), file, nil)
		h.ok(err)
		r, err := s.SAM.Renewer()
		h.ok(err)
		_, err = r.Once(t.Context(), h.first)
		h.ok(err)
		h.ok(s.Close())
		was := h.all()
		h.kill(t, file, "restoring")
		if h.all() != was {
			t.Error("killed before its time, and the database changed")
		}
		h.kill(t, file, "opening")
		if h.all() == was {
			t.Error("it was not put into its place")
		}
		d := h.live()
		if d.renewed[h.first] != renew.Held || !d.names("older than it was") {
			t.Errorf("it is used without a word: %v %q", d.renewed, d.said)
		}
		h.accepted(t)
		h.kill(t, file, "asking") // by then it was accepted
		h.lives(t, "backup.restored", "database.accepted")
		got, err := h.restore(app.RestoreOptions{File: file, Replace: true})
		h.ok(err)
		if got.Connections[0].Life != app.Alive {
			t.Errorf("%+v", got.Connections)
		}
		if url == "" {
			if list, _ := filepath.Glob(filepath.Join(h.data(), "*restoring*")); len(list) != 0 {
				t.Errorf("left %v", list)
			}
		}
		h.lives(t, "backup.restored")
	})
}

// kill restores in another process, and kills it at a step.
func (h *house) kill(t *testing.T, file, at string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestRestoreKilled$", "-test.timeout=2m")
	c.Env = append(os.Environ(), "PARTNERGUARD_TEST_RESTORE="+at, "RESTORE_DIR="+h.dir, "RESTORE_URL="+h.url, "RESTORE_FILE="+file)
	out, err := c.StdoutPipe()
	h.ok(err)
	h.ok(c.Start())
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if said += lines.Text() + "\n"; lines.Text() == "now" {
			break
		}
	}
	h.ok(c.Process.Kill())
	_ = c.Wait()
	if !strings.Contains(said, "now") {
		t.Fatalf("%s: %s", at, said)
	}
}

// restoreAndWait is the other process.
func restoreAndWait(t *testing.T, at string) {
	c := newCloud(t)
	h := &house{TB: t, cloud: c, dir: os.Getenv("RESTORE_DIR"), url: os.Getenv("RESTORE_URL")}
	h.net = newWire(c)
	_, err := app.Restore(t.Context(), h.options(), app.RestoreOptions{File: os.Getenv("RESTORE_FILE"), Replace: true, Tell: func(what string, done, _ int64) {
		if what == at {
			_, _ = os.Stdout.WriteString("now\n")
			select {}
		}
	}})
	t.Fatal("it was not killed", err)
}

// TestRestorePassphrase: a passphrase is asked for once, and an app's secret that
// was replaced at Microsoft is told with what it is.
func TestRestorePassphrase(t *testing.T) {
	t.Parallel()
	h := build(t, newCloud(t), t.TempDir(), "")
	asked := 0
	prompt := func(context.Context, string, bool) (secret.Text, error) {
		asked++
		return secret.New("correct horse battery staple"), nil
	}
	s := h.must()
	h.ok(s.Vault.ChangeMaster(t.Context(), vault.NewPassphrase(prompt)))
	file := filepath.Join(h.dir, "b")
	_, err := s.Backup(t.Context(), file, nil)
	h.ok(err)
	h.ok(s.Close())
	h.lab().Graph("POST", "/v1.0/applications(appId='"+panelApp+"')/addPassword", `{"passwordCredential":{"displayName":"new"}}`)
	h.ok(h.s.World.Do(func(st *world.State) error {
		tenant, a := st.App(panelApp)
		tenant.Apps.Change(a.ID, func(a *world.Application) { a.Passwords = a.Passwords[len(a.Passwords)-1:] })
		st.Dirty()
		return nil
	}))
	o := h.options()
	o.Prompt, asked = prompt, 0
	got, err := app.Restore(t.Context(), o, app.RestoreOptions{File: file, Replace: true, Key: "passphrase"})
	h.ok(err)
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	for _, c := range got.Connections {
		switch {
		case c.ID == h.first && (c.Life != app.Dead || !strings.Contains(c.Words+c.Fix, "secret")):
			t.Errorf("its secret is gone: %+v", c)
		case c.ID == h.second && c.Life != app.Alive:
			t.Errorf("%+v", c)
		}
	}
}

// TestBackupOfTornTrail: an installation whose trail does not hold is not backed up
// over a backup that could be restored.
func TestBackupOfTornTrail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		h := build(t, newCloud(t), t.TempDir(), url)
		s := h.must()
		defer func() { h.ok(s.Close()) }()
		file := filepath.Join(h.dir, "b")
		_, err := s.Backup(t.Context(), file, nil)
		h.ok(err)
		was, err := os.ReadFile(file)
		h.ok(err)
		p := h.pen()
		if _, err := p.Exec("UPDATE trail_pages SET entries = replace(entries, 'no caller', 'a caller')"); err != nil {
			t.Fatal(err)
		}
		_ = p.Close()
		if _, err := s.Backup(t.Context(), file, nil); !errors.Is(err, problem.Unmet) || !strings.Contains(err.Error(), "does not hold at entry") {
			t.Errorf("it was backed up: %v", err)
		}
		if now, err := os.ReadFile(file); err != nil || !bytes.Equal(was, now) {
			t.Errorf("the good one is gone: %v", err)
		}
	})
}
