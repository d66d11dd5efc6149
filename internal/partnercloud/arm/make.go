package arm

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// machineKinds are virtual machines and scale sets, as far as they are made.
func machineKinds() (vm, set *kind) {
	shown := func(k *call, r *world.AzureResource) object { return k.machineView(r, false) }
	vm = &kind{full: machineType, whole: shown, read: readMachine, members: []string{"hardwareProfile", "storageProfile", "osProfile", "networkProfile",
		"securityProfile", "diagnosticsProfile", "priority", "evictionPolicy", "billingProfile", "availabilitySet", "additionalCapabilities", "licenseType",
		"userData", "virtualMachineScaleSet", "proximityPlacementGroup", "extensionsTimeBudget", "scheduledEventsProfile", "applicationProfile",
		"capacityReservation", "platformFaultDomain", "host", "hostGroup"}}
	set = &kind{full: setType, whole: shown, read: readSet, members: []string{"upgradePolicy", "virtualMachineProfile", "overprovision",
		"singlePlacementGroup", "orchestrationMode", "platformFaultDomainCount", "zoneBalance", "scaleInPolicy", "automaticRepairsPolicy",
		"doNotRunExtensionsOnOverprovisionedVMs", "additionalCapabilities", "spotRestorePolicy", "proximityPlacementGroup", "hostGroup", "priorityMixPolicy",
		"constrainedMaximumCapacity", "resiliencyPolicy"}}
	return vm, set
}

func readMachine(k *call, r *world.AzureResource) *fault {
	var p struct {
		Hardware struct {
			Size string `json:"vmSize"`
		} `json:"hardwareProfile"`
		Priority string `json:"priority"`
	}
	if json.Unmarshal(r.Props, &p) != nil || p.Hardware.Size == "" {
		return bad("InvalidParameter", "Required parameter 'hardwareProfile.vmSize' is missing (null).")
	}
	r.Size, r.Hourly = p.Hardware.Size, world.Hourly(p.Hardware.Size)
	return k.room(r)
}

// maxInstances is the published bound of a scale set.
const maxInstances = 1_000

func readSet(k *call, r *world.AzureResource) *fault {
	if r.Size == "" || r.Count < 0 || r.Count > maxInstances {
		return bad("InvalidParameter", "A scale set needs sku.name, and sku.capacity between 0 and "+strconv.Itoa(maxInstances)+".")
	}
	r.Hourly = world.Hourly(r.Size)
	return k.room(r)
}

// room refuses what is more than the region's quotas.
func (k *call) room(r *world.AzureResource) *fault {
	_, each := world.Cores(r.Size)
	need, family := each*max(1, r.Count), world.QuotaFamily(r.Size)
	if strings.EqualFold(r.Type, setType) {
		need = each * r.Count
	}
	for _, name := range []string{"cores", family} {
		used := 0
		for _, o := range k.resources0() {
			if o.Location == r.Location && !strings.EqualFold(o.Path(), r.Path()) && (name == "cores" || world.QuotaFamily(o.Size) == name) {
				used += k.coresOf(&o)
			}
		}
		if limit := k.quota(compute, r.Location, name); used+need > limit {
			return refuse(http.StatusConflict, "OperationNotAllowed", "Operation could not be completed as it results in exceeding approved "+name+
				" Cores quota. Additional details - Location: "+r.Location+", Current Limit: "+strconv.Itoa(limit)+", Current Usage: "+strconv.Itoa(used)+
				", Additional Required: "+strconv.Itoa(need)+". Submit a request for Quota increase.")
		}
	}
	return nil
}

// resources0 are those of the whole subscription, whatever group the path names.
func (k *call) resources0() []world.AzureResource {
	group := k.at.group
	k.at.group = ""
	defer func() { k.at.group = group }()
	return k.resources()
}

// coresOf are the cores that a machine or a set holds: none when it is deallocated.
func (k *call) coresOf(r *world.AzureResource) int {
	if !strings.EqualFold(r.Type, machineType) && !strings.EqualFold(r.Type, setType) || powerAt(r, k.now) == "deallocated" {
		return 0
	}
	_, n := world.Cores(r.Size)
	return n * max(1, r.Count)
}

// putMachine makes a virtual machine with its disk, or changes one.
func putMachine(k *call) (reply, *fault) {
	vm, _ := machineKinds()
	rep, f := vm.put(k)
	if f != nil || rep.status != http.StatusCreated {
		return rep, f
	}
	r := k.sub.Resources[k.find(machineType, k.params["name"])]
	disk := world.AzureResource{Group: r.Group, Type: diskType, Name: r.Name + "_OsDisk", Location: r.Location, Created: k.now}
	if k.find(diskType, disk.Name) < 0 {
		k.tenant.Azure.Change(k.sub.ID, func(a *world.AzureSubscription) { a.Resources = append(slices.Clone(a.Resources), disk) })
		k.sub = k.tenant.Azure.Get(k.sub.ID)
	}
	return rep, nil
}

func putSet(k *call) (reply, *fault) {
	_, set := machineKinds()
	return set.put(k)
}

// patchSet changes how many machines a scale set has.
func patchSet(k *call) (reply, *fault) {
	_, d := machineKinds()
	i, f := k.here(d)
	if f != nil {
		return reply{}, f
	}
	var in sentResource
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	r := k.sub.Resources[i]
	if in.Sku == nil || in.Sku.Capacity == nil || len(in.Properties) > 0 {
		return reply{}, bad("InvalidParameter", "Only sku.capacity can be changed here.")
	}
	r.Count = *in.Sku.Capacity
	var props object
	_ = json.Unmarshal(r.Props, &props)
	if props == nil {
		props = object{}
	}
	return d.store(k, i, r, props)
}

// instances are the machines of a scale set.
func instances(k *call) (reply, *fault) {
	_, d := machineKinds()
	i, f := k.here(d)
	if f != nil {
		return reply{}, f
	}
	r := &k.sub.Resources[i]
	rows := []object{}
	for n := range max(1, r.Count) {
		id := strconv.Itoa(n)
		rows = append(rows, object{"id": resourceID(k.sub.ID, r) + "/virtualMachines/" + id, "name": r.Name + "_" + id, "instanceId": id,
			"type": setType + "/virtualMachines", "location": r.Location, "sku": object{"name": r.Size, "tier": "Standard"},
			"properties": object{"latestModelApplied": true, "provisioningState": provisioning(powerAt(r, k.now)), "instanceView": k.statuses(r)}})
	}
	return page(k, rows)
}

// machineRoutes are how machines come to be, in any region.
func machineRoutes() []*route {
	return from(kit.Read, "Azure Compute: Virtual Machines, Virtual Machine Scale Sets (REST 2024-07-01)",
		add("PUT", atGroup, compute, "virtualMachines/{name}", machineType+"/write", putMachine),
		add("PUT", atGroup, compute, "virtualMachineScaleSets/{name}", setType+"/write", putSet),
		add("PATCH", atGroup, compute, "virtualMachineScaleSets/{name}", setType+"/write", patchSet),
		off(bare(add("POST", atGroup, compute, "virtualMachineScaleSets/{name}/powerOff", setType+"/powerOff/action", power("stopping")))).
			takes("skipShutdown").only("skipShutdown", "true", "false"),
		add("GET", atGroup, compute, "virtualMachineScaleSets/{name}/virtualMachines", setType+"/virtualMachines/read", instances).
			takes("$top", "$skiptoken", "$expand").only("$expand", "instanceView"),
	)
}
