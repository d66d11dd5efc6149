package arm

import (
	"encoding/json"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

const (
	learning      = "microsoft.machinelearningservices"
	workspaceKind = "Microsoft.MachineLearningServices/workspaces"
	computeKind   = "Microsoft.MachineLearningServices/workspaces/computes"
)

func workspaces() *kind {
	return &kind{full: workspaceKind, members: []string{"friendlyName", "description", "storageAccount", "keyVault", "applicationInsights",
		"containerRegistry", "publicNetworkAccess", "hbiWorkspace", "discoveryUrl", "imageBuildCompute", "managedNetwork", "v1LegacyMode", "encryption"},
		read: func(*call, *world.AzureResource) *fault { return nil },
		view: func(k *call, r *world.AzureResource, v object) {
			p := v["properties"].(object)
			p["workspaceId"], p["tenantId"] = k.s.GUID("workspace/"+strings.ToLower(resourceID(k.sub.ID, r))), k.tenant.ID
			p["creationTime"] = r.Created.UTC().Format("2006-01-02T15:04:05.0000000Z")
			v["kind"] = "Default"
		}}
}

func computes() *kind {
	return &kind{full: computeKind, inside: workspaceKind, members: []string{"computeType", "computeLocation", "description", "resourceId",
		"disableLocalAuth", "properties"}, read: readCompute, view: viewCompute}
}

// computeProps is what of a compute decides nodes and price.
type computeProps struct {
	Type  string `json:"computeType"`
	Inner struct {
		Size     string `json:"vmSize"`
		Priority string `json:"vmPriority"`
		Scale    *struct {
			Min int `json:"minNodeCount"`
			Max int `json:"maxNodeCount"`
		} `json:"scaleSettings"`
	} `json:"properties"`
}

const (
	amlCompute      = "AmlCompute"
	computeInstance = "ComputeInstance"
)

// readCompute counts the nodes that a cluster always has: what runs beyond is of jobs,
// which the cloud has not.
func readCompute(_ *call, r *world.AzureResource) *fault {
	var p computeProps
	no := bad("BadRequest", "computeType must be AmlCompute or ComputeInstance, with vmSize and, for a cluster, scaleSettings.")
	if json.Unmarshal(r.Props, &p) != nil || p.Inner.Size == "" {
		return no
	}
	switch {
	case strings.EqualFold(p.Type, computeInstance):
		r.Count = 1
	case !strings.EqualFold(p.Type, amlCompute) || p.Inner.Scale == nil:
		return no
	case p.Inner.Scale.Min < 0 || p.Inner.Scale.Max < p.Inner.Scale.Min || p.Inner.Scale.Max > maxNodes:
		return bad("BadRequest", "minNodeCount must not be more than maxNodeCount.")
	default:
		r.Count = p.Inner.Scale.Min
	}
	r.Size, r.Hourly = p.Inner.Size, world.Hourly(p.Inner.Size)
	return nil
}

func viewCompute(k *call, r *world.AzureResource, v object) {
	p := v["properties"].(object)
	inner, _ := p["properties"].(map[string]any)
	told := object{}
	for n, x := range inner {
		told[n] = x
	}
	at := k.powerNow(r)
	if p["computeType"] == computeInstance {
		state, known := map[string]string{"running": "Running", "creating": "Creating", "starting": "Starting", "deallocating": "Stopping",
			"deallocated": "Stopped", "deleting": "Deleting"}[at]
		if !known {
			state = "Running"
		}
		told["state"] = state
	} else {
		state, nodes := "Steady", r.Count
		if at == "creating" || at == "starting" || at == "deallocating" {
			state = "Resizing"
		}
		if at == "deallocated" || at == "creating" {
			nodes = 0
		}
		told["allocationState"], told["currentNodeCount"], told["targetNodeCount"] = state, nodes, r.Count
		told["nodeStateCounts"] = object{"idleNodeCount": 0, "runningNodeCount": nodes, "preparingNodeCount": 0, "unusableNodeCount": 0, "leavingNodeCount": 0,
			"preemptedNodeCount": 0}
	}
	p["properties"], p["computeLocation"] = told, r.Location
	p["createdOn"] = r.Created.UTC().Format("2006-01-02T15:04:05.0000000Z")
	p["modifiedOn"], p["isAttachedCompute"], p["provisioningErrors"] = p["createdOn"], false, nil
}

// patchCompute changes the scale of a cluster.
func patchCompute(k *call) (reply, *fault) {
	d := computes()
	i, f := k.here(d)
	if f != nil {
		return reply{}, f
	}
	var in struct {
		Properties struct {
			Properties struct {
				Scale *struct {
					Min  *int `json:"minNodeCount"`
					Max  *int `json:"maxNodeCount"`
					Idle any  `json:"nodeIdleTimeBeforeScaleDown"`
				} `json:"scaleSettings"`
			} `json:"properties"`
		} `json:"properties"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	r := k.sub.Resources[i]
	var own object
	_ = json.Unmarshal(r.Props, &own)
	inner, _ := own["properties"].(map[string]any)
	scale := in.Properties.Properties.Scale
	if own["computeType"] != amlCompute || inner == nil || scale == nil || scale.Max == nil {
		return reply{}, bad("BadRequest", "Only the scaleSettings of an AmlCompute can be changed, with maxNodeCount.")
	}
	change := object{"maxNodeCount": *scale.Max, "minNodeCount": 0}
	if scale.Min != nil {
		change["minNodeCount"] = *scale.Min
	}
	if scale.Idle != nil {
		change["nodeIdleTimeBeforeScaleDown"] = scale.Idle
	}
	inner["scaleSettings"] = change
	return d.merge(k, i, object{"properties": inner})
}

// instanceOnly refuses what a cluster cannot do.
func instanceOnly(want string) func(*call, *world.AzureResource) string {
	return func(k *call, r *world.AzureResource) string {
		var p computeProps
		_ = json.Unmarshal(r.Props, &p)
		if p.Type != computeInstance {
			return "The operation is for a compute instance; a cluster is scaled to 0 nodes or deleted."
		}
		if at := powerAt(r, k.now); at == want || at == "deleting" || at == "creating" {
			return "The compute is " + at + "."
		}
		return ""
	}
}

func learningUsages(k *call) (reply, *fault) {
	place, _, known := region(k.params["location"])
	if !known {
		return reply{}, bad("LocationNotAvailableForResourceType", "The provided location is not available for resource type 'locations/usages'.")
	}
	return page(k, k.usages(learning, place))
}

// learningRoutes are Machine Learning: workspaces and their computes.
func learningRoutes() []*route {
	d, c := workspaces(), computes()
	rows := slices.Concat(d.routes(), c.routes(), []*route{
		add("PATCH", atGroup, learning, c.words(), computeKind+"/write", patchCompute),
		off(bare(add("POST", atGroup, learning, c.words()+"/stop", computeKind+"/stop/action", c.act("deallocating", instanceOnly("deallocated"))))),
		bare(add("POST", atGroup, learning, c.words()+"/start", computeKind+"/start/action", c.act("starting", instanceOnly("running")))),
		add("GET", atSubscription, learning, "locations/{location}/usages", "Microsoft.MachineLearningServices/locations/usages/read", learningUsages).
			takes("$top", "$skiptoken"),
		add("GET", atSubscription, learning, "locations/{location}/operations/{operation}",
			"Microsoft.MachineLearningServices/locations/mlOperationsStatus/read", operationStatus).takes("monitor"),
	})
	for _, r := range rows {
		if r.method == "DELETE" && strings.Contains(strings.Join(r.words, "/"), "computes") {
			r.takes("underlyingResourceAction").only("underlyingResourceAction", "Delete", "Detach")
		}
	}
	return from(kit.Read, "Azure Machine Learning: Workspaces, Compute, Usages (REST 2024-04-01)", rows...)
}
