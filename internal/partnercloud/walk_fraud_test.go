package partnercloud

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// hook is a webhook's receiver.
type hook struct {
	*httptest.Server
	got   chan delivered
	early []delivered // what came before it was asked for: webhooks have no order
}

type delivered struct {
	header http.Header
	body   []byte
}

func receive(t *testing.T) *hook {
	h := &hook{got: make(chan delivered, 64)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		h.got <- delivered{r.Header.Clone(), b}
	}))
	t.Cleanup(h.Close)
	return h
}

// next waits for a delivery of an event and checks its signature as a receiver
// does (contracts.md section 2.7).
func (h *hook) next(l *lab, event string) map[string]any {
	l.Helper()
	is := func(d delivered) bool {
		var m struct{ EventName string }
		if err := json.Unmarshal(d.body, &m); err != nil {
			l.Fatal(err)
		}
		return m.EventName == event
	}
	if i := slices.IndexFunc(h.early, is); i >= 0 {
		d := h.early[i]
		h.early = slices.Delete(h.early, i, i+1)
		return verified(l, d)
	}
	timeout := time.After(3 * time.Minute)
	for {
		select {
		case d := <-h.got:
			if is(d) {
				return verified(l, d)
			}
			h.early = append(h.early, d)
		case <-timeout:
			l.Fatalf("no webhook %s", event)
		}
	}
}

func verified(l *lab, d delivered) map[string]any {
	l.Helper()
	var m map[string]any
	if err := json.Unmarshal(d.body, &m); err != nil {
		l.Fatal(err)
	}
	sig, found := strings.CutPrefix(d.header.Get("Authorization"), "Signature ")
	raw, err := base64.StdEncoding.DecodeString(sig)
	if !found || err != nil || d.header.Get("X-MS-Signature-Algorithm") != "rsa-sha256" {
		l.Fatalf("headers of the webhook: %v", d.header)
	}
	a := l.get(d.header.Get("X-MS-Certificate-Url"), "")
	der := []byte(a.raw)
	if block, _ := pem.Decode(der); block != nil {
		der = block.Bytes
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		l.Fatalf("certificate of the webhook: %d %v", a.status, err)
	}
	sum := sha256.Sum256(d.body)
	if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], raw); err != nil {
		l.Errorf("signature: %v", err)
	}
	sum[0] ^= 1
	if rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], raw) == nil {
		l.Error("the signature fits any body")
	}
	return m
}

// An alert is one thing seen from two sides, and what answers it stops nothing;
// cancelling the entitlement does, ten minutes later.
func TestWalkFraud(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner, tailspin := l.i.Tenant.ID, l.customer("tailspin.example")
	rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
	center, graph, arm := l.good(partner, rt, centerAPI+"/.default"), l.good(partner, rt, graphAPI+"/.default"), l.good(tailspin, rt, armAPI+"/.default")
	h := receive(t)
	if a := l.call(http.MethodPost, l.i.PartnerCenter+"/webhooks/v1/registration", center, `{"WebhookUrl":"`+h.URL+
		`/in","WebhookEvents":["azure-fraud-event-detected","subscription-updated"]}`); a.status != http.StatusOK {
		t.Fatalf("webhook: %d %s", a.status, a.raw)
	}

	var alert *world.Alert
	l.s.World.Read(func(s *world.State) {
		for a := range s.PartnerTenant().Alerts.All() {
			if a.Customer == tailspin && a.Status == "active" {
				alert = a
			}
		}
	})
	sub := alert.Subscription
	events := l.i.PartnerCenter + "/v1/fraudEvents?SubscriptionId=" + sub
	status := func() (from, to string) {
		t.Helper()
		for _, e := range l.get(events, center, "X-NewEventsModel", "true").rows() {
			if e["eventId"] == alert.EventID {
				from, _ = e["eventStatus"].(string)
			}
		}
		return from, l.get(l.i.Graph+"/beta/security/partner/securityAlerts/"+alert.ID, graph).text("status")
	}
	if a, b := status(); a != "Active" || b != "active" {
		t.Fatalf("%s and %s", a, b)
	}
	if a := l.call(http.MethodPatch, l.i.Graph+"/beta/security/partner/securityAlerts/"+alert.ID, graph,
		`{"status":"investigating"}`); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	if a, b := status(); a != "Investigating" || b != "investigating" {
		t.Errorf("answered through Graph: %s and %s", a, b)
	}
	// No ids: all of the subscription.
	var second string
	l.s.World.Read(func(s *world.State) {
		a := *alert
		a.ID, a.EventID, a.Status, a.Detected = world.NewGUID(), sub+"_"+world.NewGUID(), "active", s.Clock.Now()
		second = a.ID
		s.RaiseAlert(&a)
	})
	if m := h.next(l, "azure-fraud-event-detected"); !strings.Contains(m["ResourceUri"].(string), "/v1/fraudEvents?SubscriptionId="+sub) ||
		m["AuditUri"] != nil {
		t.Errorf("%v", m)
	}
	a := l.call(http.MethodPost, l.i.PartnerCenter+"/v1/fraudEvents/subscription/"+sub+"/status", center,
		`{"EventIds":[],"EventStatus":"Resolved","ResolvedReason":"Fraud"}`)
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	for _, id := range []string{alert.ID, second} {
		if a := l.get(l.i.Graph+"/beta/security/partner/securityAlerts/"+id, graph); a.text("status") != "resolved" || a.text("resolvedReason") != "fraud" ||
			a.text("resolvedBy") != samAgent {
			t.Errorf("resolved through Partner Center: %s", a.raw)
		}
	}

	// It stopped nothing.
	state := func() string {
		t.Helper()
		return l.get(l.i.ARM+"/subscriptions/"+sub+"?api-version=2022-12-01", arm).text("state")
	}
	if v := state(); v != "Enabled" {
		t.Fatalf("state %s", v)
	}
	var plan, entitlement string
	l.s.World.Read(func(s *world.State) {
		for _, x := range s.PartnerTenant().Customers.Get(tailspin).Subscriptions {
			for _, e := range x.Entitlements {
				if e.SubscriptionID == sub {
					plan, entitlement = x.ID, e.ID
				}
			}
		}
	})
	where := l.i.PartnerCenter + "/v1/customers/" + tailspin + "/subscriptions/" + plan + "/azureEntitlements/" + entitlement
	const why = `{"cancellationReason":"compromise"}`
	if a := l.call(http.MethodPost, where+"/cancel", center, why); a.status != http.StatusForbidden {
		t.Errorf("cancelled without Global Administrator: %d", a.status)
	}
	root := l.asAdmin(partner, admin, centerAPI+"/user_impersonation")
	if a := l.call(http.MethodPost, where+"/cancel", root, why); a.status != http.StatusAccepted {
		t.Fatalf("cancel: %d %s", a.status, a.raw)
	}
	h.next(l, "subscription-updated")
	if v := state(); v != "Enabled" {
		t.Errorf("at once: %s", v)
	}
	l.jump(9 * time.Minute)
	if v := state(); v != "Enabled" {
		t.Errorf("after nine minutes: %s", v)
	}
	l.jump(2 * time.Minute)
	if v := state(); v != "Disabled" {
		t.Errorf("after eleven minutes: %s", v)
	}
	if v := l.get(where, center).text("status"); v != "inactive" {
		t.Errorf("the entitlement is %s", v)
	}
	if a := l.call(http.MethodPost, l.i.ARM+"/subscriptions/"+sub+
		"/resourceGroups/rg-batch-0/providers/Microsoft.Compute/virtualMachines/vmss-7f31/start?api-version=2024-07-01", arm, ""); a.status < 400 {
		t.Errorf("a machine starts in a disabled subscription: %d", a.status)
	}
}

// What the partner does with delegated admin relationships in Graph is told in
// Partner Center's audit records and by its webhooks.
func TestWalkRelationshipEvents(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner, litware := l.i.Tenant.ID, l.customer("litware.example")
	rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
	center, graph := l.good(partner, rt, centerAPI+"/.default"), l.good(partner, rt, graphAPI+"/.default")
	h := receive(t)
	names := []string{
		"granular-admin-relationship-approved", "granular-admin-relationship-activated", "granular-admin-relationship-terminated",
		"granular-admin-access-assignment-created", "granular-admin-access-assignment-activated", "granular-admin-access-assignment-updated",
		"granular-admin-access-assignment-deleted",
	}
	if a := l.call(http.MethodPost, l.i.PartnerCenter+"/webhooks/v1/registration", center, `{"WebhookUrl":"`+h.URL+`","WebhookEvents":["`+
		strings.Join(names, `","`)+`"]}`); a.status != http.StatusOK {
		t.Fatalf("webhook: %d %s", a.status, a.raw)
	}
	base := l.i.Graph + "/v1.0/tenantRelationships/delegatedAdminRelationships"
	const reader, license = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "4d6ac14f-3453-41d0-bef9-a3e0c569773a"
	a := l.call(http.MethodPost, base, graph, `{"displayName":"Litware again","duration":"P30D","customer":{"tenantId":"`+litware+
		`"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"`+reader+`"},{"roleDefinitionId":"`+license+`"}]}}`)
	if a.status != http.StatusCreated {
		t.Fatalf("create: %d %s", a.status, a.raw)
	}
	rel := base + "/" + a.text("id")
	if a := l.call(http.MethodPost, rel+"/requests", graph, `{"action":"lockForApproval"}`); a.status != http.StatusCreated {
		t.Fatalf("offer: %d %s", a.status, a.raw)
	}
	// The customer's administrator accepts.
	boss := ""
	l.s.World.Read(func(s *world.State) {
		c := s.Tenant(litware)
		for u := range c.Users.All() {
			if c.HasRole(u.ID, s.Clock.Now(), entra.RoleGlobalAdministrator) {
				boss = u.UPN
			}
		}
		if boss == "" {
			t.Fatal("Litware has no administrator")
		}
		c.Users.Change(c.UserByName(boss).ID, func(u *world.User) {
			u.Methods = append([]world.Method{{ID: "m", Type: world.MethodTOTP}}, u.Methods...)
		})
		s.Touch(c)
	})
	if a := l.call(http.MethodPost, rel+"/requests", l.asAdmin(litware, boss, graphScope("DelegatedAdminRelationship.ReadWrite.All")),
		`{"action":"approve"}`); a.status != http.StatusCreated {
		t.Fatalf("approve: %d %s", a.status, a.raw)
	}
	customer := func(event string) {
		t.Helper()
		if m := h.next(l, event); !strings.Contains(m["ResourceUri"].(string), litware) || m["AuditUri"] == nil {
			t.Errorf("%v", m)
		}
	}
	customer("granular-admin-relationship-approved")
	l.jump(time.Minute)
	group := ""
	l.s.World.Read(func(s *world.State) { group = s.PartnerTenant().GroupByName("GDAP Operations").ID })
	a = l.call(http.MethodPost, rel+"/accessAssignments", graph, `{"accessContainer":{"accessContainerId":"`+group+
		`","accessContainerType":"securityGroup"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"`+reader+`"}]}}`)
	if a.status != http.StatusCreated {
		t.Fatalf("assign: %d %s", a.status, a.raw)
	}
	assignment := rel + "/accessAssignments/" + a.text("id")
	customer("granular-admin-relationship-activated")
	customer("granular-admin-access-assignment-created")
	l.jump(time.Minute)
	tag := l.get(assignment, graph).text("@odata.etag")
	if a := l.call(http.MethodPatch, assignment, graph, `{"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"`+license+`"}]}}`, "If-Match",
		tag); a.status != http.StatusAccepted {
		t.Fatalf("change: %d %s", a.status, a.raw)
	}
	customer("granular-admin-access-assignment-activated")
	customer("granular-admin-access-assignment-updated")
	tag = l.get(assignment, graph).text("@odata.etag")
	if a := l.call(http.MethodDelete, assignment, graph, "", "If-Match", tag); a.status != http.StatusNoContent {
		t.Fatalf("remove: %d %s", a.status, a.raw)
	}
	customer("granular-admin-access-assignment-deleted")
	if a := l.call(http.MethodPost, rel+"/requests", graph, `{"action":"terminate"}`); a.status != http.StatusCreated {
		t.Fatalf("terminate: %d %s", a.status, a.raw)
	}
	l.jump(5 * time.Minute)
	l.good(partner, rt, centerAPI+"/.default") // anything that happens
	customer("granular-admin-relationship-terminated")
	var got []string
	for _, r := range l.get(l.i.PartnerCenter+"/v1/auditrecords?size=50", center).rows() {
		if r["customerId"] == litware {
			got = append(got, r["operationType"].(string))
		}
	}
	for _, n := range append(names, "granular-admin-relationship-termination-requested") {
		if !strings.Contains(strings.Join(got, " "), strings.ReplaceAll(n, "-", "_")) {
			t.Errorf("no audit record of %s: %v", n, got)
		}
	}
}
