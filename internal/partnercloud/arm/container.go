package arm

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

const (
	containers    = "microsoft.containerinstance"
	containerKind = "Microsoft.ContainerInstance/containerGroups"
)

func containerGroups() *kind {
	return &kind{full: containerKind, members: []string{"containers", "initContainers", "osType", "restartPolicy", "ipAddress", "imageRegistryCredentials",
		"volumes", "diagnostics", "subnetIds", "dnsConfig", "sku", "encryptionProperties", "extensions", "priority"}, read: readContainers,
		view: viewContainers}
}

// containerProps is what of a group decides its price.
type containerProps struct {
	Containers []struct {
		Name  string `json:"name"`
		Props struct {
			Image     string `json:"image"`
			Resources struct {
				Requests struct {
					CPU    float64 `json:"cpu"`
					Memory float64 `json:"memoryInGB"`
				} `json:"requests"`
			} `json:"resources"`
		} `json:"properties"`
	} `json:"containers"`
	System string `json:"osType"`
}

// maxContainers is the published bound of a group.
const maxContainers = 60

func readContainers(_ *call, r *world.AzureResource) *fault {
	var p containerProps
	if json.Unmarshal(r.Props, &p) != nil || len(p.Containers) == 0 || len(p.Containers) > maxContainers ||
		p.System != "Linux" && p.System != "Windows" {
		return bad("InvalidContainerGroup", "A container group needs osType Linux or Windows, and 1 to "+strconv.Itoa(maxContainers)+" containers.")
	}
	cores, memory := 0.0, 0.0
	for _, c := range p.Containers {
		q := c.Props.Resources.Requests
		if c.Name == "" || c.Props.Image == "" || q.CPU <= 0 || q.CPU > 31 || q.Memory <= 0 || q.Memory > 240 {
			return bad("ResourceRequestsNotSpecified", "Each container needs a name, an image and resource requests of cpu and memoryInGB.")
		}
		cores, memory = cores+q.CPU, memory+q.Memory
	}
	r.Count, r.Hourly = 1, world.ContainerHourly(cores, memory)
	r.Size = strconv.FormatFloat(cores, 'f', -1, 64) + " vCPU"
	return nil
}

func viewContainers(k *call, r *world.AzureResource, v object) {
	p := v["properties"].(object)
	state, known := map[string]string{"running": "Running", "creating": "Pending", "starting": "Pending", "deallocating": "Stopped",
		"deallocated": "Stopped"}[k.powerNow(r)]
	if !known {
		state = "Running"
	}
	p["instanceView"] = object{"events": []any{}, "state": state}
}

// stopContainers ends at once.
func stopContainers(k *call) (reply, *fault) {
	i, f := k.here(containerGroups())
	if f != nil {
		return reply{}, f
	}
	k.change(k.route.action, resourceID(k.sub.ID, &k.sub.Resources[i]), "Succeeded", func(a *world.AzureSubscription) {
		a.Resources = slices.Clone(a.Resources)
		a.Resources[i] = a.Resources[i].Pay(false, k.now)
		a.Resources[i].Power, a.Resources[i].Due = "deallocated", k.now
	})
	return reply{status: http.StatusNoContent}, nil
}

// containerRoutes are Container Instances.
func containerRoutes() []*route {
	d := containerGroups()
	return from(kit.Read, "Azure Container Instances: Container Groups (REST 2023-05-01)", slices.Concat(d.routes(), []*route{
		off(bare(add("POST", atGroup, containers, d.words()+"/stop", containerKind+"/stop/action", stopContainers))),
		bare(add("POST", atGroup, containers, d.words()+"/start", containerKind+"/start/action",
			d.act("starting", func(*call, *world.AzureResource) string { return "" }))),
		add("GET", atSubscription, containers, "locations/{location}/operations/{operation}", "Microsoft.ContainerInstance/locations/operations/read",
			operationStatus).takes("monitor"),
	})...)
}
