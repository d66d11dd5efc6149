package run_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/audit"
	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/run"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault/vaulttest"
)

func TestPage(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	now := func() time.Time { return screentest.Now }
	tr, err := trail.Open(t.Context(), d, trail.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	b, err := run.New(run.Deps{DB: d, Vault: vaulttest.Open(t, d), Trail: tr, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	screens := b.Screens()
	h := screentest.Of(screens...)
	if html := h.HTML(t, "/mail-devices"); !strings.Contains(html, "There is no device") {
		t.Error("an empty page says nothing")
	}
	h.Shoot(t, "mail-devices-none", "/mail-devices")
	form := func(name, mailbox, sources string) url.Values {
		return url.Values{"name": {name}, "mailbox": {mailbox}, "protocol": {"smtp", "imap"}, "sources": {sources}, "days": {"30"}}
	}
	ask := &screen.Ask{Viewer: screentest.Viewer(), Now: screentest.Now}
	var ids []string
	for _, f := range []url.Values{form("Scanner, second floor", "scans@contoso.example", "192.0.2.17\n192.0.2.18"), form("CRM", "sales@contoso.example", ""),
		form(`<b>Printer</b>`, "print@contoso.example", "2001:db8::/48")} {
		done, err := screens[0].Acts[0].Handle(t.Context(), ask, f)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ ID, Password string }
		raw, _ := json.Marshal(done.Body)
		if json.Unmarshal(raw, &got) != nil || len(got.Password) != 29 || !strings.Contains(done.Said, got.Password) {
			t.Errorf("%+v", done)
		}
		ids = append(ids, got.ID)
	}
	if _, err := screens[0].Acts[1].Handle(t.Context(), ask, url.Values{"id": {ids[1]}}); err != nil {
		t.Fatal(err)
	}
	if _, err := screens[0].Acts[0].Handle(t.Context(), ask, form("x", "nobody", "")); err == nil {
		t.Error("a device without a mailbox is made")
	}
	html := h.HTML(t, "/mail-devices?row="+ids[0])
	for _, want := range []string{"Scanner, second floor", "192.0.2.17 192.0.2.18", "revoked", "Revoke it", "never used", "&lt;b&gt;Printer"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	screentest.Hold(t, "mail devices", html)
	screentest.HoldLists(t, screens)
	h.Shoot(t, "mail-devices", "/mail-devices?row="+ids[0])
	e, err := tr.Search(t.Context(), trail.Query{Limit: 10})
	if err != nil || len(e.Entries) != 4 || e.Entries[0].Action != audit.BridgeDeviceRevoked || e.Entries[0].Actor != screentest.Viewer().Actor {
		t.Errorf("%+v %v", e.Entries, err)
	}
}

// The gauges say what there is, before the bridge runs and while it does.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.device(ada, bridge.SMTP)
	reg := prometheus.NewRegistry()
	r.b.Metrics(reg)
	got, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range got {
		seen[f.GetName()] = true
	}
	for _, want := range []string{"partnerguard_bridge_devices", "partnerguard_bridge_waiting", "partnerguard_bridge_connections",
		"partnerguard_bridge_since_start"} {
		if !seen[want] {
			t.Errorf("no %s", want)
		}
	}
	if what, _, err := r.b.Apart(t.Context()); err != nil || what != "" {
		t.Errorf("%q %v", what, err)
	}
}
