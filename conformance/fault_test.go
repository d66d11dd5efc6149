package conformance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
)

// Clients go on through what production does now and then.
func TestFaults(t *testing.T) {
	ctx := context.Background()
	subscriptions := func(t *testing.T) {
		t.Helper()
		c, err := armsubscriptions.NewClient(inTenant{signInAgent(t), customer(t, "Fabrikam")}, &arm.ClientOptions{ClientOptions: options()})
		if err != nil {
			t.Fatal(err)
		}
		pg, err := c.NewListPager(nil).NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(pg.Value) == 0 {
			t.Error("no subscription")
		}
	}
	users := func(t *testing.T) {
		t.Helper()
		r, err := graphClient(t, collector(t)).Users().Get(ctx, nil)
		list(t, r, err)
	}
	secret := func(t *testing.T) {
		t.Helper()
		get(t, collector(t), graphDefault)
	}
	for _, c := range []struct {
		client, what string
		call         func(*testing.T)
		fault        []string
		least        time.Duration
	}{
		{"azcore (Go)", "goes on after 429, waiting as Retry-After says", subscriptions, []string{"arm", "429", "--times", "1", "--retry-after", "2s"},
			2 * time.Second},
		{"azcore (Go)", "goes on after 503", subscriptions, []string{"arm", "503", "--times", "1", "--retry-after", "1s"}, time.Second},
		{"azcore (Go)", "goes on after a cut connection", subscriptions, []string{"arm", "cut", "--times", "1"}, 0},
		{graphSDK, "goes on after 429, waiting as Retry-After says", users, []string{"graph", "429", "--path", "/v1.0/users", "--times", "1", "--retry-after",
			"2s"}, 2 * time.Second},
		{graphSDK, "goes on after 429 without Retry-After, backing off", users, []string{"graph", "429-bare", "--path", "/v1.0/users", "--times", "1"}, 0},
		{"azidentity (Go)", "goes on after a 503 of the authority", secret, []string{"login", "503", "--path", "/" + cloud.Tenant.ID + "/oauth2", "--times",
			"1"}, 0},
	} {
		t.Run(c.client+" "+c.fault[1], func(t *testing.T) {
			shows(t, c.client, c.what)
			if strings.HasPrefix(c.client, "azcore") {
				signInAgent(t) // its requests are not meant
			}
			hits := fault(t, c.fault...)
			begun := time.Now()
			c.call(t)
			if took := time.Since(begun); took < c.least {
				t.Errorf("took %s, less than %s", took, c.least)
			}
			if n := hits(); n != 1 {
				t.Errorf("the fault hit %d requests", n)
			}
		})
	}
}

// Running clients go on when the signing key changes, and the key set holds both.
func TestKeyRollover(t *testing.T) {
	shows(t, "azidentity (Go)", "key rollover: the old token still good, new ones under a new kid of the key set")
	a := program(t, "collector")
	c, err := azidentity.NewClientSecretCredential(cloud.Tenant.ID, a.id, a.secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: options(),
		DisableInstanceDiscovery: offline()})
	if err != nil {
		t.Fatal(err)
	}
	old := get(t, c, graphDefault).Token
	before := keySet(t)
	cli(t, "keys", "rollover")
	keys := keySet(t)
	if len(keys) != len(before)+1 {
		t.Errorf("%d keys, before %d", len(keys), len(before))
	}
	fresh := get(t, collector(t), graphDefault).Token
	if part(t, old, 0)["kid"] == part(t, fresh, 0)["kid"] {
		t.Error("signed with the same key")
	}
	if _, known := before[part(t, fresh, 0)["kid"].(string)]; known {
		t.Error("signed with a key that was published before")
	}
	for _, token := range []string{old, fresh} {
		verify(t, token, keys)
		r, err := graphClient(t, fixed(token)).Organization().Get(context.Background(), nil)
		list(t, r, err)
	}
	// One that got its token before and one that signs in now.
	r, err := graphClient(t, c).Organization().Get(context.Background(), nil)
	list(t, r, err)
}
