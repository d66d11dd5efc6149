package center

import (
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

const standardOffer = "CFQ7TTC0LDPB:0001:CFQ7TTC0LGNT"

func TestTransitions(t *testing.T) {
	t.Parallel()
	path := "/v1/customers/" + dapID + "/subscriptions/" + soldID
	body := func(more string) string {
		return `{"fromCatalogItemId":"` + basicOffer + `","fromSubscriptionId":"` + soldID + `","toCatalogItemId":"` + standardOffer +
			`","quantity":5,"termDuration":"P1Y","billingCycle":"Monthly","transitionType":"transition_only"` + more + `}`
	}
	fresh := func() *lab {
		return newLab(t, func(s *world.State) {
			agreed(s)
			sell(s)
			s.Tenant(dapID).Users.Change(custUser(dapID), func(u *world.User) { u.Licences = []string{"3b555118-da6a-4418-894f-7df1e2096870"} })
			s.Tenant(dapID).SKUs[1].Consumed = 1
		})
	}
	for _, c := range []struct{ from, to, code string }{
		{`"quantity":5`, `"quantity":6`, "2002"},
		{`"P1Y"`, `"P1M"`, "900267"},
		{`"P1Y"`, `"P9Y"`, "900268"},
		{`"Monthly"`, `"Triennial"`, "900270"},
		{`"Monthly"`, `"weekly"`, "900269"},
		{standardOffer, "CFQ7TTC0HL8W:0001:CFQ7TTC0K59S", "800004"},
		{`transition_only`, `magic`, "900126"},
		{basicOffer, standardOffer, "800002"},
		{`"quantity":5`, `"toSubscriptionId":"` + soldID + `","quantity":5`, "900259"},
		{`"quantity":5`, `"toSubscriptionId":"` + licenceID + `","quantity":5`, "900260"},
		{`"quantity":5`, `"toSubscriptionId":"` + entID + `","quantity":5`, "20003"},
	} {
		l := fresh()
		if a := l.as("agent", "POST", path+"/transitions", strings.Replace(body(""), c.from, c.to, 1)); a.code() != c.code {
			t.Errorf("%s: %d %s", c.to, a.Code, a.Body)
		}
		if a := l.as("agent", "GET", path+"/transitions", ""); len(a.items()) != 0 {
			t.Errorf("%s: a refused transition is listed", c.to)
		}
	}
	l := fresh()
	if a := l.as("app", "GET", path+"/transitionEligibilities?eligibilityType=immediate", ""); len(a.items()) != 2 {
		t.Errorf("eligibilities: %s", a.Body)
	}
	// All seats, with the licences of the people who hold them.
	if a := l.as("agent", "POST", path+"/transitions", strings.Replace(body(""), "transition_only", "transition_with_license_transfer", 1)); a.Code != 200 ||
		a.m["toSubscriptionId"] != soldID {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if a := l.as("app", "GET", path, ""); a.m["offerId"] != standardOffer || a.m["quantity"] != 5.0 {
		t.Errorf("%s", a.Body)
	}
	l.w.Read(func(s *world.State) {
		c := s.Tenant(dapID)
		if got := fmt.Sprint(c.Users.Get(custUser(dapID)).Licences); got != "[f245ecc8-75af-4f8e-b61f-27d8114de5f3]" {
			t.Errorf("licences %s", got)
		}
	})
	// Some of them, into a new subscription and then into that one.
	l = fresh()
	some := strings.Replace(body(""), `"quantity":5`, `"quantity":2`, 1)
	to := l.as("agent", "POST", path+"/transitions", some).m["toSubscriptionId"].(string)
	if a := l.as("agent", "POST", path+"/transitions", strings.Replace(some, `"quantity":2`, `"quantity":1,"toSubscriptionId":"`+to+`"`, 1)); a.Code != 200 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	old, moved := l.as("app", "GET", path, ""), l.as("app", "GET", "/v1/customers/"+dapID+"/subscriptions/"+to, "")
	if old.m["quantity"] != 2.0 || moved.m["quantity"] != 3.0 || moved.m["offerId"] != standardOffer {
		t.Errorf("%s\n%s", old.Body, moved.Body)
	}
	a := l.as("agent", "GET", path+"/transitions", "")
	if len(a.items()) != 2 {
		t.Fatalf("%s", a.Body)
	}
	if a := l.as("agent", "GET", path+"/transitions?operationId="+a.at("items.1.operationId").(string), ""); len(a.items()) != 1 {
		t.Errorf("one of them: %s", a.Body)
	}
}

func TestConversion(t *testing.T) {
	t.Parallel()
	l := newLab(t, agreed)
	mine := "/v1/customers/" + gdapID
	a := l.as("agent", "POST", mine+"/orders", `{"billingCycle":"none","lineItems":[{"offerId":"`+trialOffer+`","quantity":25}]}`)
	path := mine + "/subscriptions/" + a.at("lineItems.0.subscriptionId").(string)
	c := l.as("agent", "GET", path+"/conversions", "").items()
	if len(c) != 1 || c[0]["targetOfferId"] != basicOffer {
		t.Fatalf("%v", c)
	}
	c[0]["quantity"] = 10
	for _, bad := range [][2]string{{basicOffer, standardOffer}, {`"monthly"`, `"weekly"`}, {`"quantity":10`, `"quantity":301`}} {
		if a := l.as("agent", "POST", path+"/conversions", strings.Replace(text(c[0]), bad[0], bad[1], 1)); a.Code != 400 {
			t.Errorf("%s: %d %s", bad[1], a.Code, a.Body)
		}
	}
	if a := l.as("agent", "POST", path+"/conversions", text(c[0])); a.Code != 200 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if a := l.as("app", "GET", path, ""); a.m["isTrial"] != false || a.m["offerId"] != basicOffer || a.m["quantity"] != 10.0 ||
		a.m["autoRenewEnabled"] != true {
		t.Errorf("%s", a.Body)
	}
	if got := l.as("agent", "GET", path+"/conversions", "").items(); len(got) != 0 {
		t.Errorf("converted, and %v", got)
	}
}
