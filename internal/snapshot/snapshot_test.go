package snapshot

import (
	"errors"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

type people struct {
	Names []string `json:"names"`
}

var start = time.Date(2026, 11, 29, 6, 0, 0, 0, time.UTC)

func TestStore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, err := New(Deps{DB: d, Now: func() time.Time { return start }})
		if err != nil {
			t.Fatal(err)
		}
		put := func(tenant string, at time.Time, names ...string) {
			t.Helper()
			if err := s.Put(t.Context(), tenant, at, "seg", map[string]any{"people": people{names}}); err != nil {
				t.Fatal(err)
			}
		}
		get := func(tenant string) string {
			t.Helper()
			p, m, err := Get[people](t.Context(), s, tenant, "people")
			if err != nil {
				t.Fatal(err)
			}
			if m.Position != "seg" || !m.Made.Equal(start) || m.Tenant != strings.ToLower(tenant) {
				t.Errorf("mark %+v", m)
			}
			return strings.Join(p.Names, " ")
		}
		if _, _, err := Get[people](t.Context(), s, "a", "people"); !errors.Is(err, problem.NotFound) {
			t.Errorf("nothing was judged, and it says %v", err)
		}
		put("A", start, "ada")
		put("b", start, "bo")
		if got := get("a"); got != "ada" {
			t.Errorf("got %q", got)
		}
		put("a", start.Add(time.Hour), "ada", "ann")
		if got := get("A"); got != "ada ann" {
			t.Errorf("after it was judged again: %q", got)
		}
		put("a", start, "old")
		if got := get("a"); got != "ada ann" {
			t.Errorf("a judgement of before took the place of a later one: %q", got)
		}
		var all []string
		for o, err := range All[people](t.Context(), s, "people") {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, o.Tenant+":"+strings.Join(o.Part.Names, "+"))
		}
		if got := strings.Join(all, " "); got != "a:ada+ann b:bo" {
			t.Errorf("all are %q", got)
		}
		if err := s.Put(t.Context(), "c", start, "", map[string]any{"people": people{}, "Not a name": 1}); err == nil {
			t.Error("a part of any name was taken")
		}
		if _, _, err := Get[people](t.Context(), s, "c", "people"); !errors.Is(err, problem.NotFound) {
			t.Errorf("half of what was refused stayed: %v", err)
		}
		if _, err := d.ExecContext(t.Context(), "UPDATE snapshot_parts SET body = $1 WHERE tenant = 'b'", packer.EncodeAll([]byte(`{"names":["eve"]}`), nil)); err != nil {
			t.Fatal(err)
		}
		s.cache = newCache(Cache)
		if _, _, err := Get[people](t.Context(), s, "b", "people"); !errors.Is(err, problem.Unavailable) || !errors.Is(err, ErrBroken) {
			t.Errorf("a part of another sum was taken: %v", err)
		}
		if err := s.Drop(t.Context(), "A"); err != nil {
			t.Fatal(err)
		}
		if m, err := s.Marks(t.Context(), "people"); err != nil || len(m) != 1 {
			t.Errorf("after a tenant was forgotten: %v, %v", m, err)
		}
	})
}

// TestCacheIsBounded: what is remembered stays below its limit, and of a part there is
// one version.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newCache(100)
	for i := range 50 {
		c.put(cacheKey{tenant: string(rune('a' + i)), part: "p", version: "1"}, i, 30)
		if c.size > 100 || c.order.Len() != len(c.byKey) || len(c.last) != len(c.byKey) {
			t.Fatalf("after %d: size %d, %d entries, %d keys", i, c.size, c.order.Len(), len(c.byKey))
		}
	}
	for i := range 10 {
		c.put(cacheKey{tenant: "a", part: "p", version: string(rune('a' + i))}, i, 30)
	}
	n := 0
	for k := range c.byKey {
		if k.tenant == "a" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d versions of one part are remembered", n)
	}
	c.put(cacheKey{tenant: "huge"}, 1, 101)
	if _, ok := c.get(cacheKey{tenant: "huge"}); ok {
		t.Error("what is larger than all is remembered")
	}
}
