//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// thing is a resource that runs, as it was found.
type thing struct {
	kind    Kind
	id      string // as Azure spells it
	name    string
	place   string // its region
	size    string
	nodes   int
	created time.Time // zero: nobody says
	before  string    // JSON: what is needed to take it back
}

// role is a role assignment.
type role struct {
	id, scope, definition, principal, kind string
	created                                time.Time
	by                                     string
	before                                 string
}

// newKey is a credential that is newer than the plan's beginning.
type newKey struct {
	holder, name, key, what string
	start                   time.Time
}

// found is what was read of a subscription and its directory.
type found struct {
	things []thing
	idle   int // of the kinds that are stopped: those that do not run
	roles  []role
	locks  []string // scopes
	disks  []string // names of disks that nothing has
	keys   []newKey
	quotas []quotaRow
	told   []string // what could not be read, and what people should know
	all    []string // ids of everything, lower case: the fingerprint
}

// quotaRow is how a quota of a region is used.
type quotaRow struct {
	name, place string
	used, limit int64
}

// maxThings bounds what a plan reads of one subscription.
const maxThings = 20_000

// scanner reads everything that runs.
type scanner struct {
	c     *Cloud
	sub   string // "/subscriptions/…"
	since time.Time
	now   time.Time
	out   found

	machines map[string]machine // nil: not read yet
}

// unread tells what could not be read. It gives errors that end the reading.
func (s *scanner) unread(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.out.told = append(s.out.told, print.Clean(fmt.Sprintf("%s could not be read, so that nothing of it is in this plan: %s", what, err.Error()),
		print.MaxSaying))
	return nil
}

// listed is a resource as the list of all shows it.
type listed struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Place   string    `json:"location"`
	Created time.Time `json:"createdTime"`
	Managed string    `json:"managedBy"`
}

// read reads the subscription. What cannot be read is told; that the list of all cannot be is
// an error.
func (s *scanner) read(ctx context.Context) error {
	var all []listed
	for raw, err := range s.c.ARM.Items(ctx, at(s.sub+"/resources", versionResources, "$expand=createdTime")) {
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "the resources of the subscription cannot be read: %s", err.Error()).WithHint("%s", s.rightHint())
		}
		var r listed
		if json.Unmarshal(raw, &r) != nil || !cleanID(r.ID) {
			s.out.told = append(s.out.told, "a resource whose id cannot be read is not in this plan: "+print.Clean(r.ID, print.MaxName))
			continue
		}
		if all = append(all, r); len(all) > maxThings {
			return problem.New(problem.Limit, "the subscription has more than %d resources", maxThings).
				WithHint("cancel the subscription: partnerguard fraud contain ALERT --plan --allow-cancel --only-end")
		}
		s.out.all = append(s.out.all, strings.ToLower(r.ID))
	}
	slices.Sort(s.out.all)
	for _, r := range all {
		if err := s.one(ctx, &r); err != nil {
			return err
		}
	}
	for _, more := range []func(context.Context) error{s.readRoles, s.readLocks, s.readDisks} {
		if err := more(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) rightHint() string {
	words := "the connection needs Reader on the subscription, and to stop things Owner: by GDAP, a group inside AdminAgents"
	if s.c.Contact != "" {
		words += "; the customer can do it: " + s.c.Contact
	}
	return words
}

// cleanID says that an id of Azure's is one that a step may name.
func cleanID(id string) bool {
	return len(id) <= maxTarget && isAzureID(lowerHead(id)) && !strings.Contains(id, "/.")
}

// lowerHead has the subscription of an id in lower case, as the plan has it.
func lowerHead(id string) string {
	const head = len("/subscriptions/") + 36
	if len(id) < head {
		return id
	}
	return strings.ToLower(id[:head]) + id[head:]
}

// kindOf says what stops a type of resource.
func kindOf(resourceType string) (Kind, bool) {
	for _, k := range []Kind{StopMachine, StopSet, StopContainers} {
		if strings.EqualFold(resourceType, typeOf(k)) {
			return k, true
		}
	}
	return "", false
}

// one reads one resource as far as something of it runs.
func (s *scanner) one(ctx context.Context, r *listed) error {
	id := lowerHead(r.ID)
	switch t := strings.ToLower(r.Type); t {
	case "microsoft.batch/batchaccounts":
		return s.inside(ctx, r, id+"/pools", versionBatch, "the pools of the Batch account ", s.pool)
	case "microsoft.machinelearningservices/workspaces":
		return s.inside(ctx, r, id+"/computes", versionLearning, "the computes of the workspace ", s.compute)
	default:
		k, known := kindOf(t)
		if !known {
			return nil
		}
		x := thing{kind: k, id: id, name: print.Clean(r.Name, print.MaxName), place: r.Place, created: r.Created}
		how, err := s.standing(ctx, &x)
		switch {
		case err != nil:
			return s.unread(ctx, x.name, err)
		case how == Before:
			s.out.things = append(s.out.things, x)
		default:
			s.out.idle++
		}
	}
	return nil
}

// standing says how a thing stands, and how large it is. All machines are read by two lists.
func (s *scanner) standing(ctx context.Context, x *thing) (Standing, error) {
	if x.kind == StopMachine {
		if s.machines == nil {
			s.machines = map[string]machine{}
			if err := s.readMachines(ctx); err != nil {
				s.machines = map[string]machine{} // then each by itself
			}
		}
		if m, ok := s.machines[strings.ToLower(x.id)]; ok && len(m.states) > 0 {
			x.size, x.nodes = m.size, 1
			return power(m.states)
		}
	}
	how, err := levers[x.kind].look(ctx, s.c, &Progress{Step: Step{Target: x.id}})
	if err == nil && how == Before {
		x.size, x.nodes, err = s.size(ctx, x.kind, x.id)
	}
	return how, err
}

// machine is a virtual machine as the lists show it.
type machine struct {
	states []string
	size   string
}

func (s *scanner) readMachines(ctx context.Context) error {
	for _, option := range []string{"statusOnly=true", "statusOnly=false"} {
		for raw, err := range s.c.ARM.Items(ctx, at(s.sub+"/providers/Microsoft.Compute/virtualMachines", versionCompute, option)) {
			var in struct {
				ID         string `json:"id"`
				Properties struct {
					Hardware struct {
						Size string `json:"vmSize"`
					} `json:"hardwareProfile"`
					View view `json:"instanceView"`
				} `json:"properties"`
			}
			if err == nil && json.Unmarshal(raw, &in) != nil {
				err = unreadable("machines")
			}
			if err != nil {
				return err
			}
			m := s.machines[strings.ToLower(in.ID)]
			if states := in.Properties.View.power(); len(states) > 0 {
				m.states = states
			}
			if in.Properties.Hardware.Size != "" {
				m.size = print.Clean(in.Properties.Hardware.Size, 60)
			}
			s.machines[strings.ToLower(in.ID)] = m
		}
	}
	return nil
}

// size reads how large a machine or scale set is.
func (s *scanner) size(ctx context.Context, k Kind, id string) (string, int, error) {
	if k == StopContainers {
		return "", 1, nil
	}
	raw, err := s.c.ARM.Get(ctx, at(id, versionCompute))
	if err != nil {
		return "", 0, err
	}
	var in struct {
		SKU struct {
			Name     string `json:"name"`
			Capacity int    `json:"capacity"`
		} `json:"sku"`
		Properties struct {
			Hardware struct {
				Size string `json:"vmSize"`
			} `json:"hardwareProfile"`
		} `json:"properties"`
	}
	if json.Unmarshal(raw, &in) != nil {
		return "", 0, unreadable("a machine")
	}
	if k == StopSet {
		return print.Clean(in.SKU.Name, 60), in.SKU.Capacity, nil
	}
	return print.Clean(in.Properties.Hardware.Size, 60), 1, nil
}

// inside reads what runs inside of a resource.
func (s *scanner) inside(ctx context.Context, r *listed, path, version, what string, each func(*listed, listed, json.RawMessage) error) error {
	for raw, err := range s.c.ARM.Items(ctx, at(path, version)) {
		var in listed
		if err == nil && (json.Unmarshal(raw, &in) != nil || !cleanID(in.ID)) {
			err = unreadable(what)
		}
		if err == nil {
			err = each(r, in, raw)
		}
		if err != nil {
			return s.unread(ctx, what+print.Clean(r.Name, print.MaxName), err)
		}
	}
	return nil
}

func (s *scanner) pool(of *listed, r listed, raw json.RawMessage) error {
	var in pool
	var more struct {
		Properties struct {
			Size    string          `json:"vmSize"`
			Created time.Time       `json:"creationTime"`
			Scale   json.RawMessage `json:"scaleSettings"`
		} `json:"properties"`
	}
	if json.Unmarshal(raw, &in) != nil || json.Unmarshal(raw, &more) != nil {
		return unreadable("a Batch pool")
	}
	if in.standing() != Before {
		s.out.idle++
		return nil
	}
	s.out.all = append(s.out.all, strings.ToLower(r.ID))
	s.out.things = append(s.out.things, thing{kind: StopPool, id: lowerHead(r.ID), name: print.Clean(of.Name+"/"+r.Name, print.MaxName), place: of.Place,
		size: print.Clean(more.Properties.Size, 60), nodes: in.Properties.Dedicated + in.Properties.Low, created: later(more.Properties.Created, of.Created),
		before: compact(more.Properties.Scale)})
	return nil
}

func (s *scanner) compute(of *listed, r listed, raw json.RawMessage) error {
	var in compute
	var more struct {
		System struct {
			Created time.Time `json:"createdAt"`
		} `json:"systemData"`
		Properties struct {
			Created time.Time `json:"createdOn"`
		} `json:"properties"`
	}
	if json.Unmarshal(raw, &in) != nil || json.Unmarshal(raw, &more) != nil {
		return unreadable("a machine learning compute")
	}
	how, err := in.standing()
	switch {
	case err != nil:
		return err
	case how != Before:
		s.out.idle++
		return nil
	}
	x := thing{kind: StopCompute, id: lowerHead(r.ID), name: print.Clean(of.Name+"/"+r.Name, print.MaxName), place: of.Place,
		size: print.Clean(in.Properties.Properties.VM, 60), nodes: max(1, in.Properties.Properties.Nodes),
		created: later(more.Properties.Created, later(more.System.Created, of.Created))}
	if in.cluster() {
		x.before = compact(in.Properties.Properties.Scale)
	}
	s.out.all = append(s.out.all, strings.ToLower(r.ID))
	s.out.things = append(s.out.things, x)
	return nil
}

// later is the later of two moments, of which one may not be known.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// compact is JSON as a text of one line; "" what is none.
func compact(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	b, _ := json.Marshal(v)
	return string(b)
}
