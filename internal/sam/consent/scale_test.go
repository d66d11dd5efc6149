package consent_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/vault/vaulttest"
)

// crowd is Partner Center with many customers.
type crowd struct {
	n     int
	ended atomic.Bool // all were given
}

func (c *crowd) Customers(context.Context, int) iter.Seq2[msapi.Customer, error] {
	return func(yield func(msapi.Customer, error) bool) {
		for i := range c.n {
			if !yield(msapi.Customer{ID: fmt.Sprintf("%08d-0000-0000-0000-000000000000", i), Domain: fmt.Sprint(i, ".example")}, nil) {
				return
			}
		}
		c.ended.Store(true)
	}
}

func (*crowd) GrantConsent(context.Context, string, string, string, []msapi.ConsentGrant) ([]msapi.ConsentResult, error) {
	return nil, errors.New("a plan granted something")
}

func (*crowd) RemoveConsent(context.Context, string, string) (bool, error) {
	return false, errors.New("a plan removed something")
}

// held counts the customers that are looked at at once.
type held struct{ now, most atomic.Int64 }

func (h *held) FreshAccess(context.Context, string, string, string) ([]string, error) {
	if n := h.now.Add(1); n > h.most.Load() {
		h.most.Store(n)
	}
	defer h.now.Add(-1)
	return []string{"Directory.Read.All"}, nil
}

// patient waits with the first customer until all are known.
type patient struct {
	of   *crowd
	over *atomic.Bool
}

func (p patient) FreshAccess(ctx context.Context, _, _, _ string) ([]string, error) {
	for end := time.Now().Add(5 * time.Second); !p.of.ended.Load() && !p.over.Load() && ctx.Err() == nil; {
		time.Sleep(time.Millisecond)
		p.over.Store(p.over.Load() || time.Now().After(end))
	}
	return []string{"Policy.Read.All"}, nil
}

// The whole number is known while the first customers are looked at.
func TestTheNumberIsKnownFirst(t *testing.T) {
	t.Parallel()
	c := &crowd{n: 500}
	svc, err := consent.New(consent.Deps{Access: patient{c, new(atomic.Bool)}})
	if err != nil {
		t.Fatal(err)
	}
	first := 0
	_, err = svc.Plan(t.Context(), consent.Options{
		Connection: sam.Connection{ID: "c-1", ClientID: "app"}, Center: c, Workers: 2,
		Wanted: []consent.Wanted{{Resource: "r", URI: "https://graph.microsoft.com", Scopes: []string{"Policy.Read.All"}}},
		Progress: func(done, known int, whole bool) {
			if done == 1 && whole {
				first = known
			}
		},
	}, func(consent.Row) error { return nil })
	if err != nil || first != 500 {
		t.Errorf("with the first one done %d are known: %v", first, err)
	}
}

// Five thousand customers pass through with no more at once than workers.
func TestManyCustomers(t *testing.T) {
	t.Parallel()
	access := &held{}
	svc, err := consent.New(consent.Deps{Access: access})
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{n: 5000}
	last, rows := 0, 0
	whole := false
	o := consent.Options{
		Connection: sam.Connection{ID: "c-1", ClientID: "app"}, Center: c, Workers: 8,
		Wanted: []consent.Wanted{{Resource: "r", URI: "https://graph.microsoft.com", Scopes: []string{"Policy.Read.All"}}},
		Progress: func(done, known int, all bool) {
			if done < last || known < done {
				t.Errorf("progress went from %d to %d of %d", last, done, known)
			}
			last, whole = done, whole || all
		},
	}
	sum, err := svc.Plan(t.Context(), o, func(consent.Row) error { rows++; return nil })
	if err != nil || rows != 5000 || sum.Customers != 5000 || sum.Actions[consent.Replace] != 5000 || last != 5000 || !whole {
		t.Errorf("%d rows, %+v, %v", rows, sum, err)
	}
	if m := access.most.Load(); m > 8 || m == 0 {
		t.Errorf("%d customers were under way at once", m)
	}
	// A reader that has enough ends it.
	enough := errors.New("enough")
	rows = 0
	last = 0
	if _, err := svc.Plan(t.Context(), o, func(consent.Row) error {
		if rows++; rows == 10 {
			return enough
		}
		return nil
	}); !errors.Is(err, enough) || rows > 10 {
		t.Errorf("%v after %d rows", err, rows)
	}
}

// canned answers by resource.
type canned map[string]func() ([]string, error)

func (c canned) FreshAccess(_ context.Context, _, _, resource string) ([]string, error) {
	return c[resource]()
}

// What is seen decides; where anything is unknown nothing is removed.
func TestDecisions(t *testing.T) {
	t.Parallel()
	fails := func(code int, transient bool) func() ([]string, error) {
		return func() ([]string, error) {
			return nil, &msapi.TokenError{Status: 400, Code: code, Err: "invalid_grant", Transient: transient}
		}
	}
	has := func(scopes ...string) func() ([]string, error) {
		return func() ([]string, error) { return scopes, nil }
	}
	for name, c := range map[string]struct {
		graph, arm func() ([]string, error)
		trim       bool
		want       consent.Action
		states     string
	}{
		"all there":                {has("A"), has("B"), false, consent.None, "[in order in order]"},
		"nothing there":            {fails(65001, false), fails(65001, false), false, consent.Grant, "[missing missing]"},
		"not authorised":           {fails(90099, false), has("B"), false, consent.Grant, "[missing missing]"}, // the second is not asked for
		"no principal":             {fails(7000229, false), has("B"), false, consent.Grant, "[missing in order]"},
		"the service is not there": {has("A"), fails(650052, false), false, consent.None, "[in order absent]"},
		"nor known":                {has("A"), fails(500011, false), false, consent.None, "[in order absent]"},
		"drift":                    {has("X"), has("B"), false, consent.Replace, "[drift in order]"},
		"drift beside absence":     {has("X"), fails(500011, false), false, consent.Replace, "[drift absent]"},
		"drift beside the unknown": {has("X"), fails(53003, false), false, consent.Skip, "[drift unknown]"},
		"excess":                   {has("A", "X"), has("B"), false, consent.None, "[excess in order]"},
		"excess, trimmed":          {has("A", "X"), has("B"), true, consent.Replace, "[excess in order]"},
		"excess beside unknown":    {has("A", "X"), fails(50020, false), true, consent.Skip, "[excess unknown]"},
		"missing beside unknown":   {fails(65001, false), fails(50020, false), false, consent.Grant, "[missing unknown]"},
		"a passing 65001":          {fails(65001, true), has("B"), false, consent.Skip, "[unknown in order]"},
		"a code nobody knows":      {fails(424242, false), has("B"), false, consent.Skip, "[unknown in order]"},
		"no answer":                {func() ([]string, error) { return nil, errors.New("mark-secret") }, has("B"), false, consent.Skip, "[unknown in order]"},
		"an empty token":           {has(), has("B"), false, consent.Replace, "[drift in order]"},
	} {
		svc, err := consent.New(consent.Deps{Access: canned{"g": c.graph, "a": c.arm}})
		if err != nil {
			t.Fatal(err)
		}
		var row consent.Row
		_, err = svc.Plan(t.Context(), consent.Options{
			Connection: sam.Connection{ID: "c-1", ClientID: "app"}, Center: &crowd{n: 1}, Trim: c.trim,
			Wanted: []consent.Wanted{{Resource: "1", URI: "g", Scopes: []string{"A"}}, {Resource: "2", URI: "a", Scopes: []string{"B"}}},
		}, func(r consent.Row) error { row = r; return nil })
		if err != nil || row.Action != c.want || fmt.Sprint(states(row)) != c.states {
			t.Errorf("%s: %s %v %v", name, row.Action, states(row), err)
		}
		if row.Action == consent.Skip && row.Why == "" || strings.Contains(fmt.Sprint(row), "mark-secret") {
			t.Errorf("%s: %+v", name, row)
		}
	}
}

// stuck is a customer with a grant that no token shows: it is there, so it
// cannot be granted, and only a removal makes room.
type stuck struct {
	crowd
	there, works bool
	calls        []string
}

func (s *stuck) GrantConsent(_ context.Context, _, _, _ string, g []msapi.ConsentGrant) ([]msapi.ConsentResult, error) {
	s.calls = append(s.calls, "grant")
	if s.there {
		return []msapi.ConsentResult{{Resource: g[0].Resource, State: msapi.Existed}}, nil
	}
	s.there, s.works = true, true
	return []msapi.ConsentResult{{Resource: g[0].Resource, State: msapi.Granted}}, nil
}

func (s *stuck) RemoveConsent(context.Context, string, string) (bool, error) {
	s.calls = append(s.calls, "remove")
	s.there = false
	return true, nil
}

func (s *stuck) FreshAccess(context.Context, string, string, string) ([]string, error) {
	if s.works {
		return []string{"A"}, nil
	}
	return nil, &msapi.TokenError{Status: 400, Code: 65001, Err: "invalid_grant"}
}

func TestGrantThatIsNotSeen(t *testing.T) {
	t.Parallel()
	s := &stuck{crowd: crowd{n: 1}, there: true}
	d := dbtest.SQLite(t)
	svc, err := consent.New(consent.Deps{Access: s, Intents: consent.NewIntents(d, vaulttest.Open(t, d)), Wait: func(context.Context, time.Duration) error {
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	var row consent.Row
	_, err = svc.Apply(t.Context(), consent.Options{
		Connection: sam.Connection{ID: "c-1", ClientID: "app"}, Center: s, Wanted: []consent.Wanted{{Resource: "1", URI: "g", Scopes: []string{"A"}}},
	}, func(r consent.Row) error { row = r; return nil })
	if err != nil || row.Result != consent.Applied || row.Action != consent.Replace || fmt.Sprint(s.calls) != "[grant remove grant]" {
		t.Errorf("%s %s %v %v", row.Action, row.Result, s.calls, err)
	}
}
