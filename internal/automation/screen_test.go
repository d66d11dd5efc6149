package automation_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"partnerguard/internal/audit"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

func page(t *testing.T) (*kit, *screentest.House) {
	t.Helper()
	k := newKit(t, dbtest.SQLite(t))
	k.now = on(30)
	if _, err := k.store.Merge(t.Context(), log(t, 0, 29, nil, use{user: "billing", days: []int{1, 5, 9, 20, 28}},
		use{user: `<img src=x onerror=alert(1)>`, days: []int{3, 4, 5, 6, 7}})); err != nil {
		t.Fatal(err)
	}
	h := screentest.Of(k.store.Screens()...)
	h.Viewer, h.Now = screentest.Viewer(), k.now
	return k, h
}

func TestPage(t *testing.T) {
	t.Parallel()
	k, h := page(t)
	items, err := k.store.List(t.Context())
	if err != nil || len(items) != 2 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	s := h.Screens[0]
	if n := s.Needs(t.Context(), h.Viewer); n != 2 {
		t.Errorf("%d need a person", n)
	}
	html := h.HTML(t, "/automation?row="+items[0].ID)
	for _, want := range []string{"billing@contoso.com", "ropc", "certain", "nobody yet", "What speaks for it", "2 items"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(html, "<img") {
		t.Error("a name is markup")
	}
	var id string
	for i := range items {
		if strings.HasPrefix(items[i].Name, "billing") {
			id = items[i].ID
		}
	}
	do := func(form url.Values) error {
		checked, err := s.Acts[0].Check(form)
		if err == nil {
			_, err = s.Acts[0].Handle(t.Context(), &screen.Ask{Viewer: h.Viewer, Now: k.now}, checked)
		}
		return err
	}
	if err := do(url.Values{"item": {id}, "owner": {"Ada"}, "state": {"moved"}, "note": {"since Monday"}}); err != nil {
		t.Fatal(err)
	}
	if got := k.trail.Of(audit.AutomationChanged); len(got) != 1 || got[0].Actor != h.Viewer.Actor || got[0].Object != id {
		t.Errorf("recorded: %+v", got)
	}
	if html := h.HTML(t, "/automation?state=moved"); !strings.Contains(html, "Ada") || !strings.Contains(html, "14 quiet days") {
		t.Error("what was kept is not shown")
	}
	if n := s.Needs(t.Context(), h.Viewer); n != 1 {
		t.Errorf("%d need a person then", n)
	}
	for _, bad := range []url.Values{{"item": {id}, "state": {"verified-gone"}}, {"item": {"auto-none"}}, {"state": {"moved"}}, {"item": {id},
		"colour": {"red"}}} {
		if err := do(bad); err == nil || !errors.Is(err, problem.Usage) && !errors.Is(err, problem.NotFound) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	h.Viewer.Rights = []screen.Right{screen.SeePeople}
	if html := h.HTML(t, "/automation?row="+id); strings.Contains(html, `name="owner"`) && strings.Contains(html, "<textarea") {
		t.Error("who may not act is offered the form")
	}
	// Items are the partner's own: who is limited to customers has none of them.
	h.Viewer.Customers = []string{screentest.Tenants[1].ID}
	if _, _, err := h.Load(t.Context(), "/automation"); !errors.Is(err, problem.Forbidden) {
		t.Errorf("who is limited to a customer: %v", err)
	}
	if n := s.Needs(t.Context(), h.Viewer); n != 0 {
		t.Errorf("the rail tells who is limited of %d", n)
	}
	if hits := s.Find(t.Context(), h.Viewer, "billing", 5); len(hits) != 0 {
		t.Errorf("the palette tells who is limited of %v", hits)
	}
}

func TestPageOfNothing(t *testing.T) {
	t.Parallel()
	k := newKit(t, dbtest.SQLite(t))
	h := screentest.Of(k.store.Screens()...)
	if html := h.HTML(t, "/automation"); !strings.Contains(html, "What was not read says nothing") {
		t.Error("no item is no word that there is none")
	}
}

// TestShots takes pictures, where SHOTS names a folder.
func TestShots(t *testing.T) {
	t.Parallel()
	k, h := page(t)
	items, _ := k.store.List(t.Context())
	h.Shoot(t, "automation", "/automation?row="+items[0].ID)
}
