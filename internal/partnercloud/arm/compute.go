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
		case "starting", "creating":
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
	case "creating":
		return "Creating"
	case "starting", "stopping", "deallocating":
		return "Updating"
	}
	return "Succeeded"
}

// powerNow is what a resource of the subscription at hand is: in one that is disabled
// nothing runs.
func (k *call) powerNow(r *world.AzureResource) string {
	p := powerAt(r, k.now)
	switch k.sub.StateAt(k.now) {
	case "Enabled", "Warned", "PastDue":
		return p
	}
	if p == "deleting" || p == "deleted" {
		return p
	}
	return "deallocated"
}

func (k *call) statuses(r *world.AzureResource) object {
	p := k.powerNow(r)
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
		props["instanceView"] = k.statuses(r)
	}
	out := object{"id": id, "name": r.Name, "type": r.Type, "location": r.Location, "tags": tags(r), "properties": props}
	if strings.EqualFold(r.Type, setType) {
		delete(props, "hardwareProfile")
		props["uniqueId"] = props["vmId"]
		delete(props, "vmId")
		out["sku"] = object{"name": r.Size, "tier": "Standard", "capacity": max(1, r.Count)}
	}
	written(props, r)
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
			v["properties"] = object{"vmId": v["properties"].(object)["vmId"], "instanceView": k.statuses(&r),
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
	return ok(k.statuses(&k.sub.Resources[i])), nil
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
		return k.turn(i, state), nil
	}
}

// turn begins a change of a resource and gives the answer that tells where to ask.
func (k *call) turn(i int, state string) reply {
	r := k.sub.Resources[i]
	due := k.now.Add(k.a.long)
	k.changeUntil(k.route.action, resourceID(k.sub.ID, &r), "Accepted", due, func(a *world.AzureSubscription) {
		a.Resources = slices.Clone(a.Resources)
		if state != "stopping" { // a machine that is off and not deallocated is paid for
			a.Resources[i] = a.Resources[i].Pay(state == "starting" || state == "creating", due)
		}
		a.Resources[i].Power, a.Resources[i].Due = state, due
	})
	return reply{status: http.StatusAccepted, header: k.polled(r.Location, due)}
}

// polled are the two addresses to ask about a long operation of the route's provider.
func (k *call) polled(location string, due time.Time) map[string]string {
	op := k.a.operations.add(operation{tenant: k.tenant.ID, sub: k.sub.ID, started: k.now, due: due})
	at := k.base + "/subscriptions/" + k.sub.ID + "/providers/" + canonical(k.route.provider) + "/locations/" + location + "/operations/" + op +
		"?api-version=" + k.param("api-version")
	return map[string]string{"Azure-AsyncOperation": at, "Location": at + "&monitor=true", "Retry-After": retryAfter(k.a.long)}
}

func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, min(10, int(d.Seconds()))))
}
