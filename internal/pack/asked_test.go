package pack_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/pack"
	"partnerguard/internal/problem"
)

// TestAsks: what was asked for is made once, told as it became, made again where it was cut
// off, and forgotten after a week; and a file that somebody put there is none.
func TestAsks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	s := &pack.Asks{Dir: filepath.Join(t.TempDir(), "asked"), Now: func() time.Time { return now }}
	if list, err := s.List(); err != nil || len(list) > 0 {
		t.Fatal(list, err)
	}
	put := func() string {
		a := pack.AskOf(&pack.Options{Tenant: "t", From: now, To: now.AddDate(0, 0, 1), Reader: "auditor", Redact: []string{"names"}}, "local:ada", now)
		if err := s.Add(a); err != nil {
			t.Fatal(err)
		}
		return a.ID
	}
	id, calls := put(), 0
	work := func(err error) func(context.Context, *pack.Asked, pack.Options) (*pack.Made, error) {
		return func(_ context.Context, a *pack.Asked, o pack.Options) (*pack.Made, error) {
			if calls++; o.Tenant != "t" || len(o.Redact) != 1 || a.Actor != "local:ada" {
				t.Errorf("%+v %+v", a, o)
			}
			return &pack.Made{Manifest: &pack.Manifest{Name: "pack-1"}}, err
		}
	}
	ending, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Work(ending, id, work(context.Canceled)); !errors.Is(err, context.Canceled) {
		t.Errorf("what was cut off is not tried again: %v", err)
	}
	for range 2 {
		if err := s.Work(t.Context(), id, work(nil)); err != nil {
			t.Error(err)
		}
	}
	if a, err := s.Get(id); err != nil || a.Pack != "pack-1" || a.Ended.IsZero() || calls != 2 {
		t.Errorf("%+v, %v, after %d calls", a, err, calls)
	}
	failing := put()
	if err := s.Work(t.Context(), failing, work(problem.New(problem.Unmet, "otherwise").WithHint("keep it"))); err != nil {
		t.Error(err)
	}
	if a, _ := s.Get(failing); a.Error != "otherwise" || a.Hint != "keep it" || a.Pack != "" {
		t.Errorf("%+v", a)
	}
	secret := put()
	if err := s.Work(t.Context(), secret, work(errors.New("/root/path"))); err != nil {
		t.Error(err)
	}
	if a, _ := s.Get(secret); strings.Contains(a.Error, "/root") || a.Error == "" {
		t.Errorf("%+v", a)
	}
	for name, text := range map[string]string{"0123456789abcdef.json": `{"id":"ffffffffffffffff"}`, "0123456789abcdee.json": `{`, "x.json": `{"id":"x"}`,
		"0123456789abcded.json": strings.Repeat(" ", 70_000) + `{"id":"0123456789abcded"}`} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"", "../asked/" + id, "0123456789abcdef", "0123456789abcdee", "0123456789abcded"} {
		if _, err := s.Get(id); !errors.Is(err, problem.NotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if list, err := s.List(); err != nil || len(list) != 3 {
		t.Errorf("%d, %v", len(list), err)
	}
	for range 197 {
		put()
	}
	if err := s.Add(pack.AskOf(&pack.Options{Reader: "auditor"}, "a", now)); !errors.Is(err, problem.Limit) {
		t.Errorf("one too many: %v", err)
	}
	now = now.Add(pack.AsksKept + time.Hour)
	if list, err := s.List(); err != nil || len(list) > 0 {
		t.Errorf("a week later: %d, %v", len(list), err)
	}
}
