package sam_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
)

// TestConsentRenamesNothing: a name is given by whoever chooses one, and taken
// from nobody.
func TestConsentRenamesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := store(t, d)
		ctx := t.Context()
		a := keep(t, s, captured(1))
		if _, err := s.Rename(ctx, a.ID, "production"); err != nil {
			t.Fatal(err)
		}
		again := captured(1)
		again.Suggested = "other"
		if b := keep(t, s, again); b.ID != a.ID || b.Name != "production" {
			t.Errorf("consented again, without a name: %s is called %q", b.ID, b.Name)
		}
		// An invited partner's wish, and a domain, that are somebody's already.
		for i, want := range map[int]string{2: "production-2", 3: "production-3"} {
			c := captured(i)
			c.Suggested, c.Domain = "Production", "contoso.com"
			if b := keep(t, s, c); b.ID == a.ID || !strings.EqualFold(b.Name, want) && !strings.HasPrefix(b.Name, "Production-") {
				t.Errorf("%d: %s is called %q, not %s", i, b.ID, b.Name, want)
			}
		}
		if c, err := s.Find(ctx, "production"); err != nil || c.ID != a.ID {
			t.Errorf("the first one lost its name: %+v %v", c, err)
		}
		chosen := captured(1)
		chosen.Name = "chosen"
		if b := keep(t, s, chosen); b.ID != a.ID || b.Name != "chosen" {
			t.Errorf("a name that was chosen: %q", b.Name)
		}
	})
}

// TestNameIsNoID: what stands in a policy is an id, and no name is taken for one.
func TestNameIsNoID(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := store(t, d)
		ctx := t.Context()
		a := keep(t, s, captured(1))
		for _, name := range []string{strings.ToUpper(a.ID), a.ID, "C-x", "-x", "a\u202eb", "contoso\u200b.com", "a\u2028b", "\xff", "",
			strings.Repeat("é", 51)} {
			c := captured(2)
			c.Name = name
			if name != "" {
				if b, err := s.Keep(ctx, c); !errors.Is(err, problem.Usage) {
					t.Errorf("%q: %q %v", name, b.Name, err)
				}
			}
			if b, err := s.Rename(ctx, a.ID, name); !errors.Is(err, problem.Usage) {
				t.Errorf("renamed to %q: %q %v", name, b.Name, err)
			}
		}
		for i, domain := range []string{strings.ToUpper(a.ID), "C-panel.example", "--.example", "a\u202e.example", strings.Repeat("日", 60), "\xff\xfe", "   "} {
			c := captured(10 + i)
			c.Domain = domain
			b := keep(t, s, c)
			if sam.IsID(b.Name) || strings.HasPrefix(b.Name, "-") || !utf8.ValidString(b.Name) || len(b.Name) > 100 || strings.ContainsRune(b.Name, 0x202e) ||
				strings.TrimSpace(b.Name) == "" {
				t.Errorf("%q became %q", domain, b.Name)
			}
			if found, err := s.Find(ctx, a.ID); err != nil || found.ID != a.ID {
				t.Errorf("%q: the id %s leads to %+v (%v)", domain, a.ID, found, err)
			}
			if found, err := s.Find(ctx, b.Name); err != nil || found.ID != b.ID {
				t.Errorf("%q leads to %+v (%v)", b.Name, found, err)
			}
		}
	})
}

// TestMayName: a name that is another's is told before a person signs in.
func TestMayName(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := store(t, d)
		a := keep(t, s, captured(1))
		for _, try := range []struct {
			name, tenant, client string
			ok                   bool
		}{
			{a.Name, a.Tenant, a.ClientID, true}, // it may be the very one that is healed
			{strings.ToUpper(a.Name), a.Tenant, a.ClientID, true},
			{a.Name, "another", a.ClientID, false},
			{" " + strings.ToUpper(a.Name), a.Tenant, "another", false},
			{"free", "another", "another", true},
			{"c-x", a.Tenant, a.ClientID, false},
		} {
			if err := s.MayName(t.Context(), try.name, try.tenant, try.client); (err == nil) != try.ok || err != nil && !errors.Is(err, problem.Usage) {
				t.Errorf("%+v: %v", try, err)
			}
		}
	})
}
