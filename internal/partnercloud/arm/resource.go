package arm

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// resourceRoutes are resource groups, resources of any type, disks and quotas.
func resourceRoutes() []*route {
	const groups, disks = "Microsoft.Resources/subscriptions/resourceGroups", "Microsoft.Compute/disks"
	both := atSubscription | atGroup
	return slices.Concat(
		from(kit.Read, "Azure Resource Manager: Resource Groups (SDK arm-resources 7.0)",
			add("PUT", atGroup, "", "", groups+"/write", putGroup),
			add("PATCH", atGroup, "", "", groups+"/write", patchGroup),
			off(add("DELETE", atGroup, "", "", groups+"/delete", deleteGroup)).takes("forceDeletionTypes").
				only("forceDeletionTypes", machineType, setType),
			add("GET", atSubscription, "", "operationresults/{operation}", "Microsoft.Resources/subscriptions/operationresults/read", operationResult),
		),
		from(kit.Read, "Azure Compute: Disks, Usage",
			add("GET", both, compute, "disks", disks+"/read", listDisks).takes("$top", "$skiptoken"),
			add("GET", atGroup, compute, "disks/{name}", disks+"/read", getDisk),
			add("GET", atSubscription, compute, "locations/{location}/usages", "Microsoft.Compute/locations/usages/read", computeUsages),
		),
	)
}

// listed is a resource as lists of resources show it. What $expand asks for is
// added.
func (k *call) listed(r *world.AzureResource) object {
	v := object{"id": resourceID(k.sub.ID, r), "name": r.Name, "type": r.Type, "location": r.Location, "tags": tags(r)}
	expand := strings.ToLower(k.param("$expand"))
	for name, value := range map[string]any{"createdTime": r.Created.UTC().Format(time.RFC3339Nano), "changedTime": r.Created.UTC().Format(time.RFC3339Nano),
		"provisioningState": provisioning(powerAt(r, k.now))} {
		if strings.Contains(expand, strings.ToLower(name)) {
			v[name] = value
		}
	}
	return v
}

func listResources(k *call) (reply, *fault) {
	want, f := conditions(k.param("$filter"), "resourcetype", "name", "location", "resourcegroup", "tagname", "tagvalue", "substringof")
	if f != nil {
		return reply{}, f
	}
	rows := []object{}
	for _, r := range k.tracked() {
		fits := tagged(r.Tags, want) && strings.Contains(strings.ToLower(r.Name), strings.ToLower(want["substringof"]))
		for name, have := range map[string]string{"resourcetype": r.Type, "name": r.Name, "location": r.Location, "resourcegroup": r.Group} {
			fits = fits && (want[name] == "" || strings.EqualFold(want[name], have))
		}
		if fits {
			rows = append(rows, k.listed(&r))
		}
	}
	return page(k, rows)
}

// resource finds the resource of the path, of any type, or -1.
func (k *call) resource() int {
	return slices.IndexFunc(k.sub.Resources, func(r world.AzureResource) bool {
		return strings.EqualFold(r.Type, k.at.named+"/"+k.params["type"]) && strings.EqualFold(r.Name, k.params["name"]) &&
			strings.EqualFold(r.Group, k.at.group) && powerAt(&r, k.now) != "deleted"
	})
}

func noResource(k *call) *fault {
	return refuse(http.StatusNotFound, "ResourceNotFound", "The Resource '"+clip(k.at.named+"/"+k.params["type"]+"/"+k.params["name"])+
		"' under resource group '"+clip(k.at.group)+"' was not found.")
}

// getResource answers HEAD, the question whether there is one, with 204.
func getResource(k *call) (reply, *fault) {
	i := k.resource()
	if i < 0 {
		return reply{}, noResource(k)
	}
	if k.Method == http.MethodHead {
		return reply{status: http.StatusNoContent}, nil
	}
	r := &k.sub.Resources[i]
	v := k.listed(r)
	v["properties"] = object{"provisioningState": provisioning(powerAt(r, k.now))}
	return ok(v), nil
}

func deleteResource(k *call) (reply, *fault) {
	i := k.resource()
	if i < 0 {
		return reply{status: http.StatusNoContent}, nil
	}
	due := k.now.Add(k.a.long)
	id := resourceID(k.sub.ID, &k.sub.Resources[i])
	k.change(k.at.named+"/"+k.params["type"]+"/delete", id, "Accepted", func(a *world.AzureSubscription) {
		a.Resources = slices.Clone(a.Resources)
		a.Resources[i] = a.Resources[i].Pay(false, due)
		a.Resources[i].Power, a.Resources[i].Due = "deleting", due
	})
	return k.accepted(due, "/operationresults/"), nil
}

const diskType = "Microsoft.Compute/disks"

// diskView is a managed disk; what its name says before _OsDisk has it.
func (k *call) diskView(r *world.AzureResource) object {
	props := object{"osType": "Linux", "creationData": object{"createOption": "FromImage"}, "diskSizeGB": 30, "diskSizeBytes": int64(30) << 30,
		"timeCreated": r.Created.UTC().Format(time.RFC3339), "provisioningState": provisioning(powerAt(r, k.now)), "diskState": "Unattached",
		"uniqueId": k.s.GUID("disk/" + strings.ToLower(resourceID(k.sub.ID, r)))}
	v := object{"id": resourceID(k.sub.ID, r), "name": r.Name, "type": diskType, "location": r.Location, "tags": tags(r),
		"sku": object{"name": "Premium_LRS", "tier": "Premium"}, "properties": props}
	owner := strings.TrimSuffix(r.Name, "_OsDisk")
	for _, m := range k.resources() {
		if strings.EqualFold(m.Type, machineType) && strings.EqualFold(m.Name, owner) && strings.EqualFold(m.Group, r.Group) {
			v["managedBy"] = resourceID(k.sub.ID, &m)
			if props["diskState"] = "Attached"; k.powerNow(&m) == "deallocated" {
				props["diskState"] = "Reserved"
			}
		}
	}
	return v
}

func listDisks(k *call) (reply, *fault) {
	rows := []object{}
	for _, r := range k.resources() {
		if strings.EqualFold(r.Type, diskType) {
			rows = append(rows, k.diskView(&r))
		}
	}
	return page(k, rows)
}

func getDisk(k *call) (reply, *fault) {
	k.params["type"] = "disks"
	i := k.resource()
	if i < 0 {
		return reply{}, noResource(k)
	}
	return ok(k.diskView(&k.sub.Resources[i])), nil
}
