package worlds

import (
	"fmt"
	"strings"
	"time"
)

// act is one operation, which has several rows in the Activity Log.
type act struct {
	at          time.Time
	sub         *Subscription
	op          string // resource type and verb: "Microsoft.Compute/virtualMachines/write"
	id          string // resource
	region      string
	who         *actor
	ip          string
	failed      string // error code; "" it succeeded
	long        bool   // it was started, accepted and then ended
	body        string
	category    string
	correlation string
	deployment  string // correlation of the deployment it is part of
}

// event is a row of a customer's directory: an audit or a sign-in.
type event struct {
	at            time.Time
	customer      *Customer
	who           *actor
	ip            string
	country, city string
	activity      string // "" a sign-in
	target        *actor
	detail        string
	failed        bool
	risk          string
}

const (
	owner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	reader      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
)

// did notes an act; one before the world begins is not seen.
func (w *World) did(d *dice, a act) *act {
	if a.at.Before(w.Start) || !a.at.Before(w.hour(w.hours())) {
		return &a
	}
	a.correlation = d.guid()
	if a.deployment != "" {
		a.correlation = a.deployment
	}
	if a.category == "" {
		a.category = "Administrative"
	}
	w.acts = append(w.acts, &a)
	return &a
}

// told notes an event of a directory.
func (w *World) told(e event) {
	if e.at.Before(w.Start) || !e.at.Before(w.hour(w.hours())) {
		return
	}
	if e.country == "" {
		e.country, e.city = e.who.country, e.who.city
	}
	w.events = append(w.events, &e)
}

// session is somebody working: where from, and since when.
type session struct {
	w   *World
	d   *dice
	c   *Customer
	who *actor
	ip  string
	at  time.Time
}

// session begins work in an hour, from where the actor usually is, with a sign-in.
func (w *World) session(d *dice, c *Customer, who *actor, h int) *session {
	s := &session{w: w, d: d, c: c, who: who, ip: who.address(d), at: w.at(d, h)}
	w.told(event{at: s.at.Add(-time.Duration(d.span(20, 600)) * time.Second), customer: c, who: who, ip: s.ip})
	return s
}

// pass lets some seconds go by.
func (s *session) pass(lo, hi int) *session {
	s.at = s.at.Add(time.Duration(s.d.span(lo, hi))*time.Second + time.Duration(s.d.n(1000))*time.Millisecond)
	return s
}

func (s *session) did(a act) *act {
	a.at, a.who, a.ip = s.at, s.who, s.ip
	return s.w.did(s.d, a)
}

// id is as Azure builds it: what stands below another thing names that one, too.
func (t *thing) id() string {
	kind := t.form.kind
	if i := strings.LastIndexByte(kind, '/'); strings.Count(kind, "/") == 2 {
		parent := t.parent
		if parent == "" {
			parent = "main"
		}
		kind = kind[:i] + "/" + parent + kind[i:]
	}
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s", t.sub.ID, t.group, kind, t.name)
}

// body says what a request asks for.
func (t *thing) body() string {
	n := 1
	if t.level != nil {
		n = max(1, t.level(t.from))
	}
	switch t.form.kind {
	case "Microsoft.Compute/virtualMachines":
		return fmt.Sprintf(`{"location":"%s","properties":{"hardwareProfile":{"vmSize":"%s"},"osProfile":{"computerName":"%s"}}}`,
			t.region, t.form.size, t.name)
	case "Microsoft.Compute/virtualMachineScaleSets":
		return fmt.Sprintf(`{"location":"%s","sku":{"name":"%s","tier":"Standard","capacity":%d}}`, t.region, t.form.size, n)
	case "Microsoft.Batch/batchAccounts/pools":
		return fmt.Sprintf(`{"properties":{"vmSize":"%s","scaleSettings":{"fixedScale":{"targetDedicatedNodes":%d}}}}`, t.form.size, n)
	case "Microsoft.MachineLearningServices/workspaces/computes":
		return fmt.Sprintf(`{"location":"%s","properties":{"computeType":"AmlCompute","properties":{"vmSize":"%s","scaleSettings":{"maxNodeCount":%d}}}}`,
			t.region, t.form.size, n)
	case "Microsoft.ContainerInstance/containerGroups":
		return fmt.Sprintf(`{"location":"%s","properties":{"containers":[{"name":"%s","properties":{"resources":{"requests":{"cpu":4,"memoryInGB":14}}}}]}}`,
			t.region, t.name)
	}
	return fmt.Sprintf(`{"location":"%s"}`, t.region)
}

// start is a thing that ran before, or comes without an act.
func (w *World) start(t *thing) *thing {
	if t.until == 0 {
		t.until = w.hours()
	}
	w.things = append(w.things, t)
	return t
}

func (w *World) hourOf(at time.Time) int { return int(at.Sub(w.Start) / time.Hour) }

// make creates a thing now.
func (s *session) make(t *thing) *thing {
	t.from = s.w.hourOf(s.at)
	s.w.start(t)
	deployment := ""
	if s.d.odds(40) {
		deployment = s.d.guid()
		s.did(act{sub: t.sub, op: "Microsoft.Resources/deployments/write", region: t.region, deployment: deployment, long: true,
			id: fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Resources/deployments/CreateVm-%s", t.sub.ID, t.group, s.d.hex(8))})
		s.pass(1, 5)
	}
	if t.form.kind == "Microsoft.Compute/virtualMachines" {
		s.did(act{sub: t.sub, op: "Microsoft.Network/networkInterfaces/write", region: t.region, deployment: deployment,
			id: strings.Replace(t.id(), t.form.kind, "Microsoft.Network/networkInterfaces", 1) + "-nic"})
		s.pass(1, 9)
	}
	s.did(act{sub: t.sub, op: t.form.kind + "/write", id: t.id(), region: t.region, long: true, body: t.body(), deployment: deployment})
	return t
}

// refused is a try that Azure did not let through.
func (s *session) refused(t *thing, code string) {
	t.from = s.w.hourOf(s.at)
	s.did(act{sub: t.sub, op: t.form.kind + "/write", id: t.id(), region: t.region, body: t.body(), failed: code})
}

// remove deletes a thing now.
func (s *session) remove(t *thing) {
	t.until = max(t.from, s.w.hourOf(s.at))
	s.did(act{sub: t.sub, op: t.form.kind + "/delete", id: t.id(), region: t.region, long: true})
}

// verb is another act on a thing.
func (s *session) verb(t *thing, verb string) {
	s.did(act{sub: t.sub, op: t.form.kind + "/" + verb, id: t.id(), region: t.region, long: verb != "write"})
}

// grant gives a role over the subscription.
func (s *session) grant(sub *Subscription, to *actor, role string) {
	kind := "User"
	if to.app != "" {
		kind = "ServicePrincipal"
	}
	scope := "/subscriptions/" + sub.ID
	s.did(act{sub: sub, op: "Microsoft.Authorization/roleAssignments/write",
		id: scope + "/providers/Microsoft.Authorization/roleAssignments/" + s.d.guid(),
		body: fmt.Sprintf(`{"properties":{"roleDefinitionId":"%s/providers/Microsoft.Authorization/roleDefinitions/%s","principalId":"%s","principalType":"%s"}}`,
			scope, role, to.id, kind)})
}

// group makes a resource group.
func (s *session) group(sub *Subscription, name, region string) string {
	s.did(act{sub: sub, op: "Microsoft.Resources/subscriptions/resourceGroups/write", region: region,
		id: "/subscriptions/" + sub.ID + "/resourceGroups/" + name, body: fmt.Sprintf(`{"location":"%s"}`, region)})
	sub.groups = append(sub.groups, name)
	return name
}

// register makes a provider usable in a subscription.
func (s *session) register(sub *Subscription, provider string) {
	s.did(act{sub: sub, op: provider + "/register/action", id: "/subscriptions/" + sub.ID + "/providers/" + provider})
}

// audit is an act in the directory.
func (s *session) audit(activity string, target *actor, detail string) {
	s.w.told(event{at: s.at, customer: s.c, who: s.who, ip: s.ip, activity: activity, target: target, detail: detail})
}
