package arm

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

const (
	machineType = "Microsoft.Compute/virtualMachines"
	setType     = "Microsoft.Compute/virtualMachineScaleSets"
)

// powerAt is what a machine is at a moment: passing states end when due.
func powerAt(r *world.AzureResource, now time.Time) string {
	if !r.Due.IsZero() && !now.Before(r.Due) {
		switch r.Power {
		case "starting":
			return "running"
		case "stopping":
			return "stopped"
		case "deallocating":
			return "deallocated"
		case "deleting":
			return "deleted"
		}
	}
	if r.Power == "" {
		return "running"
	}
	return r.Power
}

func provisioning(power string) string {
	switch power {
	case "deleting":
		return "Deleting"
	case "starting", "stopping", "deallocating":
		return "Updating"
	}
	return "Succeeded"
}

func statuses(r *world.AzureResource, now time.Time) object {
	p := powerAt(r, now)
	state := provisioning(p)
	return object{"statuses": []object{
		{"code": "ProvisioningState/" + strings.ToLower(state), "level": "Info", "displayStatus": "Provisioning " + strings.ToLower(state),
			"time": r.Created.UTC().Format(time.RFC3339)},
		{"code": "PowerState/" + p, "level": "Info", "displayStatus": "VM " + p},
	}}
}

func (k *call) machineView(r *world.AzureResource, view bool) object {
	id := resourceID(k.sub.ID, r)
	props := object{"vmId": k.s.GUID("vm/" + strings.ToLower(id)), "hardwareProfile": object{"vmSize": r.Size},
		"provisioningState": provisioning(powerAt(r, k.now)), "timeCreated": r.Created.UTC().Format(time.RFC3339)}
	if view {
		props["instanceView"] = statuses(r, k.now)
	}
	out := object{"id": id, "name": r.Name, "type": r.Type, "location": r.Location, "tags": tags(r), "properties": props}
	if strings.EqualFold(r.Type, setType) {
		delete(props, "hardwareProfile")
		props["uniqueId"] = props["vmId"]
		delete(props, "vmId")
		out["sku"] = object{"name": r.Size, "tier": "Standard", "capacity": 1}
	}
	return out
}

func (k *call) machines(kind string) (reply, *fault) {
	only, expand := strings.EqualFold(k.param("statusOnly"), "true"), strings.EqualFold(k.param("$expand"), "instanceView")
	rows := []object{}
	for _, r := range k.resources() {
		if !strings.EqualFold(r.Type, kind) {
			continue
		}
		v := k.machineView(&r, only || expand)
		if only {
			v["properties"] = object{"vmId": v["properties"].(object)["vmId"], "instanceView": statuses(&r, k.now),
				"provisioningState": provisioning(powerAt(&r, k.now))}
		}
		rows = append(rows, v)
	}
	return page(k, rows)
}

func listMachines(k *call) (reply, *fault) { return k.machines(machineType) }
func listSets(k *call) (reply, *fault)     { return k.machines(setType) }

// machine finds the machine or scale set of the path.
func (k *call) machine() (int, *fault) {
	kind := machineType
	if strings.EqualFold(k.route.words[0], "virtualMachineScaleSets") {
		kind = setType
	}
	for i := range k.sub.Resources {
		r := &k.sub.Resources[i]
		if strings.EqualFold(r.Type, kind) && strings.EqualFold(r.Group, k.at.group) && strings.EqualFold(r.Name, k.params["name"]) &&
			powerAt(r, k.now) != "deleted" {
			return i, nil
		}
	}
	return -1, refuse(http.StatusNotFound, "ResourceNotFound", "The Resource '"+kind+"/"+clip(k.params["name"])+"' under resource group '"+clip(k.at.group)+
		"' was not found.")
}

func getMachine(k *call) (reply, *fault) {
	i, f := k.machine()
	if f != nil {
		return reply{}, f
	}
	return ok(k.machineView(&k.sub.Resources[i], strings.EqualFold(k.param("$expand"), "instanceView"))), nil
}

func instanceView(k *call) (reply, *fault) {
	i, f := k.machine()
	if f != nil {
		return reply{}, f
	}
	return ok(statuses(&k.sub.Resources[i], k.now)), nil
}

// power begins a change of a machine that takes a while: 202 with two addresses
// to ask, Azure-AsyncOperation for the operation and Location for the result.
func power(state string) func(*call) (reply, *fault) {
	return func(k *call) (reply, *fault) {
		i, f := k.machine()
		if f != nil {
			return reply{}, f
		}
		r := k.sub.Resources[i]
		if powerAt(&r, k.now) == "deleting" {
			return reply{}, refuse(http.StatusConflict, "OperationNotAllowed", "The resource is being deleted.")
		}
		due := k.now.Add(k.a.long)
		id := resourceID(k.sub.ID, &r)
		k.change(k.route.action, id, "Accepted", func(a *world.AzureSubscription) {
			a.Resources = slices.Clone(a.Resources)
			if state != "stopping" { // a machine that is off and not deallocated is paid for
				a.Resources[i] = a.Resources[i].Pay(state == "starting", due)
			}
			a.Resources[i].Power, a.Resources[i].Due = state, due
		})
		op := k.a.operations.add(operation{tenant: k.tenant.ID, sub: k.sub.ID, started: k.now, due: due})
		at := k.base + "/subscriptions/" + k.sub.ID + "/providers/Microsoft.Compute/locations/" + r.Location + "/operations/" + op + "?api-version=" +
			k.param("api-version")
		return reply{status: http.StatusAccepted, header: map[string]string{
			"Azure-AsyncOperation": at, "Location": at + "&monitor=true", "Retry-After": retryAfter(k.a.long),
		}}, nil
	}
}

func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, min(10, int(d.Seconds()))))
}

// operation is a long operation.
type operation struct {
	tenant, sub  string
	started, due time.Time
}

// operations are kept for a while. Used with the state locked.
type operations struct {
	all   map[string]operation
	order []string
}

const maxOperations = 5_000

func (o *operations) add(op operation) string {
	if o.all == nil {
		o.all = map[string]operation{}
	}
	id := world.NewGUID()
	o.all[id] = op
	if o.order = append(o.order, id); len(o.order) > maxOperations {
		delete(o.all, o.order[0])
		o.order = o.order[1:]
	}
	return id
}

// operationStatus tells how a long operation stands: by the operation (always
// 200 with a status) or, with monitor, by its result (202 until it is there).
func operationStatus(k *call) (reply, *fault) {
	id := strings.ToLower(k.params["operation"])
	op, found := k.a.operations.all[id]
	if !found || op.tenant != k.tenant.ID || !strings.EqualFold(op.sub, k.sub.ID) {
		return reply{}, refuse(http.StatusNotFound, "NotFound", "The operation could not be found.")
	}
	done := !k.now.Before(op.due)
	wait := map[string]string{"Retry-After": retryAfter(op.due.Sub(k.now))}
	if strings.EqualFold(k.param("monitor"), "true") {
		if !done {
			at := k.base + k.URL.RequestURI()
			wait["Location"] = at
			return reply{status: http.StatusAccepted, header: wait}, nil
		}
		return reply{status: http.StatusOK}, nil
	}
	v := object{"name": id, "startTime": op.started.UTC().Format(time.RFC3339Nano), "status": "InProgress"}
	if !done {
		return reply{status: http.StatusOK, body: v, header: wait}, nil
	}
	v["status"], v["endTime"] = "Succeeded", op.due.UTC().Format(time.RFC3339Nano)
	return ok(v), nil
}
