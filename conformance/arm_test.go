package conformance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v7"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
)

// A partner's agent finds a customer's machine and deallocates it by AOBO, as
// after a crypto-mining alert.
func TestARM(t *testing.T) {
	cred := inTenant{signInAgent(t), customer(t, "Fabrikam")}
	o := &arm.ClientOptions{ClientOptions: options()}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	id := ""
	t.Run("subscriptions", func(t *testing.T) {
		shows(t, "armsubscriptions (Go)", "a customer's subscriptions, by AOBO")
		c, err := armsubscriptions.NewClient(cred, o)
		if err != nil {
			t.Fatal(err)
		}
		for p := c.NewListPager(nil); p.More(); {
			pg, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range pg.Value {
				if *s.TenantID != cred.tenant || *s.State != armsubscriptions.SubscriptionStateEnabled {
					t.Errorf("%s: tenant %s, %s", *s.DisplayName, *s.TenantID, *s.State)
				}
				id = *s.SubscriptionID
			}
		}
		if id == "" {
			t.Fatal("no subscription")
		}
	})
	t.Run("machines", func(t *testing.T) {
		shows(t, "armcompute (Go)", "machines listed, one deallocated as a long operation, its instance view")
		if id == "" {
			t.Fatal("no subscription")
		}
		c, err := armcompute.NewVirtualMachinesClient(id, cred, o)
		if err != nil {
			t.Fatal(err)
		}
		var first *armcompute.VirtualMachine
		for p := c.NewListAllPager(nil); p.More(); {
			pg, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, vm := range pg.Value {
				if vm.Properties == nil || vm.Properties.HardwareProfile == nil || vm.Location == nil {
					t.Errorf("%s is not whole", *vm.Name)
				}
				if first == nil {
					first = vm
				}
			}
		}
		if first == nil {
			t.Fatal("no machine")
		}
		group := strings.Split(*first.ID, "/")[4]
		power := func() (out []string) {
			t.Helper()
			v, err := c.InstanceView(ctx, group, *first.Name, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range v.Statuses {
				out = append(out, *s.Code)
			}
			return out
		}
		if got := strings.Join(power(), " "); !strings.Contains(got, "PowerState/running") {
			t.Fatalf("before: %s", got)
		}
		op, err := c.BeginDeallocate(ctx, group, *first.Name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if op.Done() {
			t.Error("done at once: not a long operation")
		}
		if _, err := op.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(power(), " "); !strings.Contains(got, "PowerState/deallocated") {
			t.Errorf("after: %s", got)
		}
	})
}
