package arm

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

const (
	batch       = "microsoft.batch"
	accountKind = "Microsoft.Batch/batchAccounts"
	poolKind    = "Microsoft.Batch/batchAccounts/pools"
)

// Quotas of a Batch account (K: those of a fresh one).
const (
	batchCores  = 100
	batchPools  = 100
	batchJobs   = 300
	batchSeries = "standardNCASv3_T4Family"
)

func batchAccounts() *kind {
	return &kind{full: accountKind, members: []string{"autoStorage", "poolAllocationMode", "keyVaultReference", "publicNetworkAccess", "networkProfile",
		"encryption", "allowedAuthenticationModes"},
		read: func(*call, *world.AzureResource) *fault { return nil },
		view: func(_ *call, r *world.AzureResource, v object) {
			p := v["properties"].(object)
			p["accountEndpoint"] = strings.ToLower(r.Name) + "." + r.Location + ".batch.azure.com"
			p["nodeManagementEndpoint"] = strings.ToLower(r.Name) + "." + r.Location + ".service.batch.azure.com"
			p["dedicatedCoreQuota"], p["lowPriorityCoreQuota"] = batchCores, batchCores
			p["poolQuota"], p["activeJobAndJobScheduleQuota"] = batchPools, batchJobs
			p["dedicatedCoreQuotaPerVMFamilyEnforced"] = true
			p["dedicatedCoreQuotaPerVMFamily"] = []object{{"name": batchSeries, "coreQuota": batchCores}}
			if p["poolAllocationMode"] == nil {
				p["poolAllocationMode"] = "BatchService"
			}
		}}
}

func pools() *kind {
	return &kind{full: poolKind, inside: accountKind, members: []string{"displayName", "vmSize", "deploymentConfiguration", "scaleSettings",
		"interNodeCommunication", "networkConfiguration", "taskSlotsPerNode", "taskSchedulingPolicy", "userAccounts", "metadata", "startTask",
		"certificates", "applicationPackages", "applicationLicenses", "mountConfiguration", "targetNodeCommunicationMode", "upgradePolicy", "resourceTags"},
		read: readPool, view: viewPool}
}

// poolProps is what of a pool decides nodes and price.
type poolProps struct {
	Size  string `json:"vmSize"`
	Scale struct {
		Fixed *struct {
			Dedicated int `json:"targetDedicatedNodes"`
			Low       int `json:"targetLowPriorityNodes"`
		} `json:"fixedScale"`
		Auto *struct {
			Formula string `json:"formula"`
		} `json:"autoScale"`
	} `json:"scaleSettings"`
}

var formulaNodes = pattern.Later(`(?i)\$TargetDedicated(?:Nodes)?\s*=\s*(\d{1,5})`)

func (p *poolProps) nodes() (dedicated, low int) {
	switch {
	case p.Scale.Fixed != nil:
		return p.Scale.Fixed.Dedicated, p.Scale.Fixed.Low
	case p.Scale.Auto != nil:
		if m := formulaNodes.FindStringSubmatch(p.Scale.Auto.Formula); m != nil {
			dedicated, _ = strconv.Atoi(m[1])
		}
	}
	return dedicated, 0
}

// maxNodes bounds a pool or a compute, as published for one that may communicate.
const maxNodes = 2_500

func readPool(_ *call, r *world.AzureResource) *fault {
	var p poolProps
	if json.Unmarshal(r.Props, &p) != nil || p.Size == "" {
		return bad("InvalidPropertyValue", "The value provided for one of the properties in the request body is invalid: vmSize, scaleSettings.")
	}
	dedicated, low := p.nodes()
	_, cores := world.Cores(p.Size)
	switch {
	case dedicated < 0 || low < 0 || dedicated+low > maxNodes:
		return bad("InvalidPropertyValue", "The number of nodes must lie between 0 and "+strconv.Itoa(maxNodes)+".")
	case dedicated*cores > batchCores || low*cores > batchCores:
		return refuse(http.StatusConflict, "AccountCoreQuotaReached", "The specified account has reached core quota limit for this VM family.")
	}
	r.Size, r.Count, r.Hourly = p.Size, dedicated+low, world.Hourly(p.Size)
	return nil
}

func viewPool(k *call, r *world.AzureResource, v object) {
	p := v["properties"].(object)
	var own poolProps
	_ = json.Unmarshal(r.Props, &own)
	dedicated, low := own.nodes()
	at := k.powerNow(r)
	state := "Steady"
	p["vmSize"] = r.Size
	if at == "creating" || at == "starting" || at == "deallocating" {
		state = "Resizing"
	}
	if at == "creating" || at == "deallocated" {
		dedicated, low = 0, 0
	}
	p["allocationState"], p["currentDedicatedNodes"], p["currentLowPriorityNodes"] = state, dedicated, low
	p["creationTime"] = r.Created.UTC().Format("2006-01-02T15:04:05.0000000Z")
	p["lastModified"] = p["creationTime"]
	if state == "Resizing" {
		p["resizeOperationStatus"] = object{"targetDedicatedNodes": dedicated, "targetLowPriorityNodes": low, "nodeDeallocationOption": "Requeue"}
	}
	if p["provisioningState"] == "Updating" || p["provisioningState"] == "Creating" {
		p["provisioningState"] = "Succeeded" // nodes come and go later
	}
}

// patchPool changes what is said; fixedScale with 0 nodes ends what runs there.
func patchPool(k *call) (reply, *fault) {
	d := pools()
	i, f := k.here(d)
	if f != nil {
		return reply{}, f
	}
	var in sentResource
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	r := k.sub.Resources[i]
	if f := in.judge(resourceID(k.sub.ID, &r), d.full); f != nil {
		return reply{}, f
	}
	changed, f := in.keep([]string{"scaleSettings", "startTask", "certificates", "applicationPackages", "metadata", "targetNodeCommunicationMode"},
		d.show(k, &r))
	if f != nil {
		return reply{}, f
	}
	return d.merge(k, i, changed)
}

// merge writes single properties of a resource.
func (d *kind) merge(k *call, i int, changed object) (reply, *fault) {
	r := k.sub.Resources[i]
	props := object{}
	if len(r.Props) > 0 && json.Unmarshal(r.Props, &props) != nil {
		props = object{}
	}
	for name, v := range changed {
		props[name] = v
	}
	return d.store(k, i, r, props)
}

// stopResize leaves a pool with the nodes that it has.
func stopResize(k *call) (reply, *fault) {
	d := pools()
	i, f := k.here(d)
	if f != nil {
		return reply{}, f
	}
	r := k.sub.Resources[i]
	if at := powerAt(&r, k.now); at != "creating" && at != "starting" && at != "deallocating" {
		return reply{}, refuse(http.StatusConflict, "PoolNotResizing", "The specified pool is not resizing.")
	}
	return ok(d.show(k, &r)), nil
}

// disableAutoScale leaves a pool with the nodes that it has.
func disableAutoScale(k *call) (reply, *fault) {
	d := pools()
	i, f := k.here(d)
	if f != nil {
		return reply{}, f
	}
	var own poolProps
	_ = json.Unmarshal(k.sub.Resources[i].Props, &own)
	dedicated, low := own.nodes()
	rep, f := d.merge(k, i, object{"scaleSettings": object{"fixedScale": object{"targetDedicatedNodes": dedicated, "targetLowPriorityNodes": low}}})
	rep.status = http.StatusOK
	return rep, f
}

func batchQuotas(k *call) (reply, *fault) {
	if _, _, known := region(k.params["location"]); !known {
		return reply{}, bad("LocationNotAvailableForResourceType", "The provided location is not available for resource type 'locations/quotas'.")
	}
	return ok(object{"accountQuota": 3}), nil
}

// batchRoutes are Batch: accounts and pools. Jobs and tasks are not Azure Resource
// Manager's: a job is stopped by the account's own endpoint, its nodes by the pool.
func batchRoutes() []*route {
	d, p := batchAccounts(), pools()
	return from(kit.Read, "Azure Batch Management: Batch Account, Pool, Location (REST 2024-07-01)", slices.Concat(d.routes(), p.routes(), []*route{
		add("PATCH", atGroup, batch, p.words(), poolKind+"/write", patchPool),
		off(bare(add("POST", atGroup, batch, p.words()+"/stopResize", poolKind+"/stopResize/action", stopResize))),
		bare(add("POST", atGroup, batch, p.words()+"/disableAutoScale", poolKind+"/disableAutoscale/action", disableAutoScale)),
		add("GET", atSubscription, batch, "locations/{location}/quotas", "Microsoft.Batch/locations/quotas/read", batchQuotas),
		add("GET", atSubscription, batch, "locations/{location}/operations/{operation}", "Microsoft.Batch/locations/accountOperationResults/read",
			operationStatus).takes("monitor"),
	})...)
}
