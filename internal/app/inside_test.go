package app_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/claim"
	"partnerguard/internal/config"
	"partnerguard/internal/partnercloud"
)

// inside starts the partner cloud of a data folder and opens its installation.
func inside(t *testing.T, data string, change ...func(*partnercloud.Options)) (*app.Inside, *app.Installation, func()) {
	t.Helper()
	getenv := func(name string) string {
		return map[string]string{"XDG_CONFIG_HOME": filepath.Join(data, "config"), "XDG_DATA_HOME": data}[name]
	}
	c, err := config.Load(config.Source{Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	if !app.WantsInside(t.Context(), c) {
		t.Fatal("an installation with nothing in it is no laboratory")
	}
	in, err := app.StartInside(t.Context(), c, time.Now, slog.New(slog.DiscardHandler), change...)
	if err != nil {
		t.Fatal(err)
	}
	i, err := app.Open(t.Context(), app.Options{Config: c, Lab: &in.Lab, Actor: "local:test", Now: time.Now, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	return in, i, func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
		if err := in.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// TestConnectLab: the first connection is made at the pages, and what goes on where
// it was finds it again.
func TestConnectLab(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, i, done := inside(t, data, func(o *partnercloud.Options) { o.Days = 1 })
	c, fresh, err := i.ConnectLab(t.Context())
	if err != nil || !fresh {
		t.Fatalf("connected %+v, fresh %v: %v", c, fresh, err)
	}
	if c.Account != "sam-agent@contoso.com" || c.Proof.Answer != claim.Proven {
		t.Errorf("the connection is of %s, with MFA %q", c.Account, c.Proof.Answer)
	}
	if again, fresh, err := i.ConnectLab(t.Context()); err != nil || fresh || again.ID != c.ID {
		t.Errorf("a second time: %s, fresh %v: %v", again.ID, fresh, err)
	}
	done()
	_, i, done = inside(t, data)
	defer done()
	if again, fresh, err := i.ConnectLab(t.Context()); err != nil || fresh || again.ID != c.ID {
		t.Errorf("after a restart: %s, fresh %v: %v", again.ID, fresh, err)
	}
}
