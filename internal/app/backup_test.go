package app

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/backup"
	"partnerguard/internal/config"
	"partnerguard/internal/db/dbtest"
)

// TestLastBackup: when it was is a gauge, and there is none before the first.
func TestLastBackup(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	reg := prometheus.NewRegistry()
	lastBackup{d}.Metrics(reg)
	look := func() (v float64, n int) {
		t.Helper()
		list, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			for _, m := range f.GetMetric() {
				v, n = m.GetGauge().GetValue(), n+1
			}
		}
		return v, n
	}
	if _, n := look(); n != 0 {
		t.Errorf("%d before the first", n)
	}
	for at, want := range map[string]float64{"1970-01-02T00:00:00Z": 86400, "2026-11-29T00:00:00Z": 1795910400} {
		if err := d.SetSetting(t.Context(), backedUp, at); err != nil {
			t.Fatal(err)
		}
		if v, n := look(); n != 1 || v != want {
			t.Errorf("%s: %v, %d", at, v, n)
		}
	}
	if err := d.SetSetting(t.Context(), backedUp, "yesterday"); err != nil {
		t.Fatal(err)
	}
	if _, n := look(); n != 0 {
		t.Error("what cannot be read is a number")
	}
}

// TestFilesOfABackup: settings come back where there are none, what the settings name
// where they name it, and nothing goes where a backup says or over what is there.
func TestFilesOfABackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{"HOME": dir, "PARTNERGUARD_POLICY": filepath.Join(dir, "policy.yaml")}
	c, err := config.Load(config.Source{Getenv: func(n string) string { return env[n] }})
	if err != nil {
		t.Fatal(err)
	}
	i := &Installation{Config: c}
	away := filepath.Join(dir, "away", "x")
	out := &Restored{Backup: backup.Backup{Manifest: backup.Manifest{Made: time.Unix(0, 0), Files: []backup.File{
		{Name: "settings", Path: away}, {Name: "policy", Path: away}, {Name: "client-ca", Path: away}}}}}
	bodies := map[string][]byte{"settings": []byte("cloud: public\n"), "policy": []byte("version: 1\n"), "client-ca": []byte("PEM")}
	how := func() (list []string) {
		t.Helper()
		out.Files = nil
		if err := i.files(out, bodies); err != nil || len(out.Notes) > 0 {
			t.Fatal(err, out.Notes)
		}
		for _, f := range out.Files {
			raw, err := os.ReadFile(f.Path)
			info, serr := os.Stat(f.Path)
			if err != nil || serr != nil || string(raw) != string(bodies[f.Name]) || info.Mode().Perm() != 0o600 {
				t.Errorf("%+v: %q %v %v", f, raw, err, serr)
			}
			list = append(list, f.How)
		}
		if _, err := os.Stat(away); err == nil {
			t.Error("a file went where the backup says")
		}
		return list
	}
	if got := how(); len(got) != 3 || got[0] != "restored" || got[1] != "restored" || got[2] != "beside" || out.Files[0].Path != c.Place() {
		t.Errorf("%v %+v", got, out.Files)
	}
	if err := os.WriteFile(c.Place(), []byte("cloud: usgov\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Backup.Made = time.Unix(60, 0)
	if got := how(); len(got) != 3 || got[0] != "beside" || got[1] != "same" || got[2] != "beside" {
		t.Errorf("%v", got)
	}
	if raw, err := os.ReadFile(c.Place()); err != nil || string(raw) != "cloud: usgov\n" {
		t.Errorf("the settings that are there became %q %v", raw, err)
	}
}
