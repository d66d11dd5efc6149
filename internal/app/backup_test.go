package app

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

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
