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
	t.Run("made", func(t *testing.T) {
		shows(t, "armcompute (Go)", "a machine and a scale set made, the set scaled and stopped, both deleted; usages of a region")
		if id == "" {
			t.Fatal("no subscription")
		}
		madeByARM(ctx, t, id, cred, o)
	})
}

// madeByARM makes and ends what an attack makes, by Azure's own client.
func madeByARM(ctx context.Context, t *testing.T, id string, cred inTenant, o *arm.ClientOptions) {
	const group, place = "rg-prod", "swedencentral"
	every := &runtime.PollUntilDoneOptions{Frequency: time.Second}
	done := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	vms, err := armcompute.NewVirtualMachinesClient(id, cred, o)
	done("client", err)
	size := armcompute.VirtualMachineSizeTypesStandardD4SV3
	made, err := vms.BeginCreateOrUpdate(ctx, group, "made-by-sdk", armcompute.VirtualMachine{Location: new(place),
		Properties: &armcompute.VirtualMachineProperties{HardwareProfile: &armcompute.HardwareProfile{VMSize: &size}}}, nil)
	done("make a machine", err)
	vm, err := made.PollUntilDone(ctx, every)
	done("wait for the machine", err)
	if vm.Properties == nil || vm.Properties.ProvisioningState == nil || *vm.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("the machine is %+v", vm.Properties)
	}
	sets, err := armcompute.NewVirtualMachineScaleSetsClient(id, cred, o)
	done("client", err)
	set := armcompute.VirtualMachineScaleSet{Location: new(place), SKU: &armcompute.SKU{Name: new("Standard_F8s_v2"), Capacity: new(int64(3))},
		Properties: &armcompute.VirtualMachineScaleSetProperties{Overprovision: new(false)}}
	scaled, err := sets.BeginCreateOrUpdate(ctx, group, "set-by-sdk", set, nil)
	done("make a set", err)
	_, err = scaled.PollUntilDone(ctx, every)
	done("wait for the set", err)
	fewer, err := sets.BeginUpdate(ctx, group, "set-by-sdk", armcompute.VirtualMachineScaleSetUpdate{SKU: &armcompute.SKU{Capacity: new(int64(1))}}, nil)
	done("scale", err)
	now, err := fewer.PollUntilDone(ctx, every)
	done("wait for the scale", err)
	if now.SKU == nil || *now.SKU.Capacity != 1 {
		t.Errorf("the set has %+v", now.SKU)
	}
	stopped, err := sets.BeginDeallocate(ctx, group, "set-by-sdk", nil)
	done("deallocate the set", err)
	_, err = stopped.PollUntilDone(ctx, every)
	done("wait for it", err)
	usage, err := armcompute.NewUsageClient(id, cred, o)
	done("client", err)
	pg, err := usage.NewListPager(place, nil).NextPage(ctx)
	done("usages", err)
	if len(pg.Value) < 3 || *pg.Value[0].Name.Value != "cores" || *pg.Value[0].CurrentValue != 4 {
		t.Errorf("usages: %d rows", len(pg.Value))
	}
	gone, err := vms.BeginDelete(ctx, group, "made-by-sdk", nil)
	done("delete the machine", err)
	_, err = gone.PollUntilDone(ctx, every)
	done("wait for its end", err)
	over, err := sets.BeginDelete(ctx, group, "set-by-sdk", nil)
	done("delete the set", err)
	_, err = over.PollUntilDone(ctx, every)
	done("wait for its end", err)
}
