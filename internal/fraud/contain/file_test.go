//go:build !judge

package contain

import (
	"errors"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
)

const (
	aCustomer = "0a1b2c3d-0000-4000-8000-000000000001"
	aPartner  = "0a1b2c3d-0000-4000-8000-000000000002"
	aSub      = "0a1b2c3d-0000-4000-8000-000000000003"
	aVM       = "/subscriptions/" + aSub + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
)

// aPlan is a good plan of one step of each kind.
func aPlan() Plan {
	p := Plan{Version: 1, Cloud: "public", Partner: aPartner, Customer: aCustomer, Name: "Fabrikam", Alert: "fa-1", Subscription: aSub, Connection: "c",
		As:   "a@b",
		Made: time.Date(2026, 11, 30, 9, 0, 0, 123000, time.UTC), Since: time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC), Seen: "x", Told: []string{"a: # told"}}
	add := func(k Kind, target, key string) {
		l := levers[k]
		s := Step{Kind: k, Target: target, Key: key, Tenant: aCustomer, Phase: l.phase, Undo: l.undo, Danger: l.danger, How: l.how, Why: "why: 'x' \"y\"",
			Stops: "stops", Right: "right", Have: Unknown, PerHour: 1.25, Before: `{"a":[1,null]}`}
		s.ID = s.id()
		p.Steps = append(p.Steps, s)
	}
	sub := "/subscriptions/" + aSub
	rg := sub + "/resourceGroups/rg é (1)/providers/"
	add(RevokeSessions, aPartner, "")
	add(DisableUser, aPartner, "")
	add(DisableApp, aPartner, "")
	add(RemoveCredential, "servicePrincipals/"+aPartner, aSub)
	add(RemoveRole, sub+"/providers/Microsoft.Authorization/roleAssignments/"+aPartner, "")
	add(StopMachine, aVM, "")
	add(StopSet, rg+"Microsoft.Compute/virtualMachineScaleSets/x", "")
	add(StopPool, rg+"Microsoft.Batch/batchAccounts/b/pools/p", "")
	add(StopCompute, rg+"Microsoft.MachineLearningServices/workspaces/w/computes/c", "")
	add(StopContainers, rg+"Microsoft.ContainerInstance/containerGroups/g", "")
	add(LowerQuota, sub+"/providers/Microsoft.Compute/locations/eastus/providers/Microsoft.Quota/quotas/cores", "")
	add(SetBudget, aCustomer, "")
	add(Cancel, "ent-1", "plan-1")
	p.ID = p.id()
	return p
}

// TestFileRound: what is written is read again as it was, to the last byte of what a step says.
func TestFileRound(t *testing.T) {
	t.Parallel()
	p := aPlan()
	raw, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read("plan.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	if hashOf(got) != hashOf(p) || got.id() != p.ID {
		t.Errorf("%+v", got)
	}
	got.Steps = got.Steps[3:7]
	if err := got.subset(&p); err != nil {
		t.Error(err)
	}
}

// TestHostileFiles: whatever a file says that was not planned is refused, by its line or step.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	p := aPlan()
	raw, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	good := string(raw)
	other := "0a1b2c3d-0000-4000-8000-00000000000f"
	for name, text := range map[string]string{
		"nothing": "", "no YAML": "\x00\x01", "not UTF-8": "\xff", "two documents": good + "---\na: 1\n", "an anchor": "a: &x 1\nb: *x\n", "a list": "- a\n",
		"an unknown member": good + "relationshipToPartner: none\n", "a member twice": good + "version: 1\n", "deep": strings.Repeat("[", 5000),
		"another version": strings.Replace(good, "version: 1", "version: 2", 1), "no steps": good[:strings.Index(good, "steps:")] + "steps: []\n",
		"another subscription": strings.ReplaceAll(good, "/subscriptions/"+aSub, "/subscriptions/"+other),
		"another customer":     strings.ReplaceAll(good, "tenant: "+aCustomer, "tenant: "+other),
		"a path that leads out": strings.Replace(good, "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm",
			"/../"+other+"/virtualMachines/vm", 1),
		"a kind of our own": strings.Replace(good, "kind: deallocateMachine", "kind: deleteMachine", 1),
		"another kind":      strings.Replace(good, "kind: deallocateMachine", "kind: deallocateScaleSet", 1),
		"another target":    strings.Replace(good, "virtualMachines/vm", "virtualMachines/prod", 1),
		"said to be undone": strings.Replace(good, "undo: false", "undo: true", 1),
		"another before":    strings.Replace(good, "[1,null]", "[2,null]", 1),
		"too large":         strings.Repeat("# x\n", maxPlan/4+1),
	} {
		if text == good {
			t.Errorf("%s: nothing was changed", name)
		}
		if _, err := Read("plan.yaml", []byte(text)); !errors.Is(err, problem.BadInput) && !errors.Is(err, problem.Limit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSubset: steps may be taken out, and nothing else.
func TestSubset(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Plan){
		"the head":    func(p *Plan) { p.Connection = "other" },
		"the alert":   func(p *Plan) { p.Alert = "fa-2" },
		"later made":  func(p *Plan) { p.Made = p.Made.Add(time.Hour) },
		"a new step":  func(p *Plan) { s := p.Steps[5]; s.Target += "2"; s.ID = s.id(); p.Steps = append(p.Steps, s) },
		"a step":      func(p *Plan) { p.Steps[5].Target += "2"; p.Steps[5].ID = p.Steps[5].id() },
		"its before":  func(p *Plan) { p.Steps[4].Before = `{}`; p.Steps[4].ID = p.Steps[4].id() },
		"only its id": func(p *Plan) { p.Steps[4].ID = p.Steps[5].ID },
	} {
		made, p := aPlan(), aPlan()
		change(&p)
		if err := p.subset(&made); !errors.Is(err, problem.BadInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	p := aPlan()
	raw, _ := p.YAML()
	f.Add(raw)
	f.Add([]byte("version: 1\nsteps: [{id: s-1, kind: deallocateMachine}]\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Read("x", raw)
		if err != nil {
			return
		}
		again, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if q, err := Read("x", again); err != nil || q.stepsHash() != p.stepsHash() {
			t.Fatalf("%v", err)
		}
	})
}

func TestHours(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		text string
		at   time.Duration
		want bool
	}{
		{"Mon-Fri 18:00-08:00", 19 * time.Hour, true}, {"Mon-Fri 18:00-08:00", 31 * time.Hour, true}, {"Mon-Fri 18:00-08:00", 12 * time.Hour, false},
		{"Mon-Fri 18:00-08:00", time.Hour, false}, // it is Sunday's night
		{"Fri-Mon 00:00-24:00", 5 * time.Hour, true}, {"Sat-Sun 00:00-24:00", 5 * time.Hour, false}, {"", 0, false},
		{"Sat 00:00-24:00, Mon 04:00-06:00", 5 * time.Hour, true}, {"Mon 04:00-06:00", 6 * time.Hour, false},
	} {
		list, err := readHours(x.text)
		if err != nil || within(list, monday.Add(x.at)) != x.want {
			t.Errorf("%q at %s: %v", x.text, x.at, err)
		}
	}
	for _, bad := range []string{"always", "Mon", "Mon 8-9", "Mon 18:00", "Mon 25:00-26:00", "Mon 08:00-08:00", "Xyz 08:00-09:00", "Mon 08:60-09:00", ",",
		"Mon 8:00-9:00"} {
		if _, err := readHours(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestAzureID: what no id of a subscription's looks like is none; names end at 260 characters.
func TestAzureID(t *testing.T) {
	t.Parallel()
	head := "/subscriptions/" + aSub
	for id, want := range map[string]bool{
		aVM: true, head + "/" + strings.Repeat("ü", longestName): true, head + "/a b._()~@$-9": true,
		"": false, head: false, head + "/": false, head + "//x": false, head + "/x/": false, head + "/" + strings.Repeat("x", longestName+1): false,
		head + "/a\nb": false, head + "/a?b": false, "x" + aVM: false, strings.ToUpper(aVM): false, "/subscriptions/x/y": false,
	} {
		if got := isAzureID(id); got != want {
			t.Errorf("%.80q: %t", id, got)
		}
	}
}
