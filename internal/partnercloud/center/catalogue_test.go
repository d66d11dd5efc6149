package center

import (
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	const basic = "/v1/products/CFQ7TTC0LH18"
	mine := "/v1/customers/" + gdapID
	for _, c := range []struct {
		path string
		code string // "" is success
		rows int    // -1: not a list
	}{
		{"/v1/products?country=US&targetView=OnlineServices", "", 19},
		{"/v1/products?country=us&targetView=azure", "", 1},
		{"/v1/products?country=US&targetView=AzureReservationsVM&reservationScope=AzurePlan", "", 1},
		{"/v1/products?country=US&targetView=SaaS", "", 0},
		{"/v1/products?country=US&targetView=OnlineServices&targetSegment=education", "", 0},
		{"/v1/products?country=US&targetView=OnlineServices&targetSegment=army", "900126", -1},
		{"/v1/products?country=US&targetView=Everything", "400036", -1},
		{"/v1/products?country=US", "400056", -1},
		{"/v1/products?targetView=Azure", "400056", -1},
		{"/v1/products?country=ZZ&targetView=Azure", "800070", -1},
		{"/v1/products?country=US&targetView=Azure&colour=red", "400", -1},
		{basic + "?country=US", "", -1},
		{"/v1/products/NOTHING?country=US", "400013", -1},
		{basic + "/skus?country=US", "", 2},
		{basic + "/skus/0001?country=US", "", -1},
		{basic + "/skus/9?country=US", "400018", -1},
		{basic + "/skus/0001/availabilities?country=DE", "", 1},
		{basic + "/skus/0001/availabilities?country=DE&targetView=Azure", "", 0},
		{basic + "/skus/0001/availabilities/CFQ7TTC0K971?country=DE", "", -1},
		{basic + "/skus/0001/availabilities/X?country=DE", "400019", -1},
		{mine + "/products?targetView=OnlineServices", "", 19},
		{mine + "/products/CFQ7TTC0LH18/skus/0001/availabilities", "", 1},
		{mine + "/products?targetView=OnlineServices&country=US", "400", -1},
		{"/v1/productpromotions?country=US&segment=commercial", "", 2},
		{"/v1/productpromotions/39NFJQT1PJQB:0001:39NFJQT1Q5KN?country=US", "", -1},
		{"/v1/productpromotions/x?country=US", "1000", -1},
		{"/v1/offers?country=US", "", 19},
		{"/v1/offers?country=US&offer_category_id=SmallBusiness_Key", "", 5},
		{"/v1/offers?country=US&locale=de-DE", "400056", -1},
		{"/v1/offers/3B555118-DA6A-4418-894F-7DF1E2096870?country=US", "", -1},
		{"/v1/offers/3B555118-DA6A-4418-894F-7DF1E2096870/addons?country=US", "", 2},
		{"/v1/offers/CFQ7TTC0LH18:0001?country=US", "2100", -1},
		{"/v1/offers/x?country=US", "800004", -1},
		{"/v1/offercategories?country=US", "", 2},
	} {
		a := l.as("app", "GET", c.path, "")
		if a.code() != c.code || c.code == "" && a.Code != 200 {
			t.Errorf("%s: %d %q, want %q: %.200s", c.path, a.Code, a.code(), c.code, a.Body)
		}
		if n := len(a.items()); c.rows >= 0 && (n != c.rows || a.m["totalCount"] != float64(n)) {
			t.Errorf("%s: %d rows of %v, want %d", c.path, n, a.m["totalCount"], c.rows)
		}
	}
	a := l.as("app", "GET", mine+"/products/CFQ7TTC0LH18/skus/0001/availabilities/CFQ7TTC0K971", "")
	if a.m["country"] != "DE" || a.m["defaultCurrency"].(map[string]any)["code"] != "EUR" || a.m["catalogItemId"] != basicOffer {
		t.Errorf("the customer's country: %.300s", a.Body)
	}
	if !strings.Contains(a.Body.String(), market.Invented) {
		t.Error("nothing says that prices are invented")
	}
}

func TestInventoryAndPromotions(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	ask := func(body string) answer {
		return l.as("agent", "POST", "/v1/extensions/product/checkInventory?country=US", body)
	}
	restricted := func() any {
		a := ask(`{"TargetItems":[{"ProductId":"DZH318Z0BQ3Q","SkuId":"0001"}],"InventoryContext":{"customerId":"` + dapID + `","azureSubscriptionId":"` +
			azureID + `"}}`)
		if len(a.l) != 1 {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
		return a.l[0].(map[string]any)["isRestricted"]
	}
	if restricted() != true {
		t.Error("an Azure subscription that is not registered is restricted")
	}
	plan := "/v1/customers/" + dapID + "/subscriptions/" + planID
	if a := l.as("agent", "GET", plan+"/registrationstatus", ""); a.m["status"] != "notregistered" {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("agent", "POST", plan+"/registrations", ""); a.Code != 202 || !strings.HasSuffix(a.Header().Get("Location"), "/registrationstatus") {
		t.Errorf("register: %d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "GET", plan+"/registrationstatus", ""); a.m["status"] != "registered" || restricted() != false {
		t.Errorf("registered: %s", a.Body)
	}
	if a := l.as("agent", "POST", "/v1/customers/"+dapID+"/subscriptions/"+licenceID+"/registrations", ""); a.code() != "800011" {
		t.Errorf("a licence registers: %s", a.Body)
	}
	if a := ask(`{"TargetItems":[{"ProductId":"CFQ7TTC0LH18"}]}`); len(a.l) != 2 {
		t.Errorf("all SKUs: %s", a.Body)
	}
	for body, want := range map[string]string{`{}`: "800002", `{"TargetItems":[{"ProductId":"x"}]}`: "400013",
		`{"TargetItems":[{"ProductId":"CFQ7TTC0LH18","SkuId":"x"}]}`: "400018", `{"colour":1}`: "400"} {
		if a := ask(body); a.code() != want {
			t.Errorf("%s: %s", body, a.Body)
		}
	}
	eligible := func(n string) any {
		a := l.as("agent", "POST", "/v1/customers/"+dapID+"/promotionEligibilities", `{"items":[{"id":0,"catalogItemId":"CFQ7TTC0LFLX:0001:CFQ7TTC0LB30",`+
			`"quantity":`+n+`,"billingCycle":"monthly","termDuration":"P1Y"}]}`)
		if len(a.items()) != 1 {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
		return a.items()[0]["eligibilities"].([]any)[0].(map[string]any)["isEligible"]
	}
	if eligible("10") != true || eligible("9") != false {
		t.Error("the seats of a promotion")
	}
}

func TestSupportContact(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) { sell(s) })
	path := "/v1/customers/" + dapID + "/subscriptions/" + soldID + "/supportcontact"
	if a := l.as("agent", "GET", path, ""); a.m["supportTenantId"] != partnerID {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := l.edit("agent", "PUT", path, map[string]any{"supportTenantId": resellerID, "supportMpnId": "1234567"}); a.m["name"] != "Small Reseller" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := l.edit("agent", "PUT", path, map[string]any{"supportTenantId": otherID}); a.code() != "800002" {
		t.Errorf("a stranger: %d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "GET", path, ""); a.m["supportMpnId"] != "1234567" {
		t.Errorf("%s", a.Body)
	}
}
