package arm

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

const quotas = "microsoft.quota"

// Quotas of a region (K: those of a fresh subscription).
const (
	coreQuota    = 100
	machineQuota = 25_000
	maxQuota     = 1_000_000
)

// quota is the limit of a name in a region.
func (k *call) quota(provider, location, name string) int {
	for _, q := range k.sub.Quotas {
		if q.Provider == provider && q.Location == location && strings.EqualFold(q.Name, name) {
			return q.Limit
		}
	}
	if name == "virtualMachines" {
		return machineQuota
	}
	return coreQuota
}

// usages are what of its quotas a region uses: cores in all, machines, and the families
// that are in use or were asked for.
func (k *call) usages(provider, place string) []object {
	machines, all := 0, 0
	families := map[string]int{}
	for _, r := range k.resources0() {
		switch {
		case r.Location != place:
		case provider == compute && (strings.EqualFold(r.Type, machineType) || strings.EqualFold(r.Type, setType)):
			n := k.coresOf(&r)
			machines += max(1, r.Count)
			all += n
			families[world.QuotaFamily(r.Size)] += n
		case provider == learning && strings.EqualFold(r.Type, computeKind):
			_, n := world.Cores(r.Size)
			all += n * r.Count
			families[world.QuotaFamily(r.Size)] += n * r.Count
		}
	}
	for _, q := range k.sub.Quotas {
		if q.Provider == provider && q.Location == place && q.Name != "cores" && q.Name != "virtualMachines" {
			families[q.Name] += 0
		}
	}
	row := func(name, text string, have int) object {
		return object{"unit": "Count", "currentValue": have, "limit": k.quota(provider, place, name), "name": object{"value": name, "localizedValue": text}}
	}
	rows := []object{row("cores", "Total Regional vCPUs", all)}
	if provider == compute {
		rows = append(rows, row("virtualMachines", "Virtual Machines", machines))
	}
	for _, f := range slices.Sorted(maps.Keys(families)) {
		rows = append(rows, row(f, f+" vCPUs", families[f]))
	}
	return rows
}

func computeUsages(k *call) (reply, *fault) {
	place, _, known := region(k.params["location"])
	if !known {
		return reply{}, bad("NoRegisteredProviderFound", "No registered resource provider found for location '"+clip(k.params["location"])+
			"' and type 'locations/usages'.")
	}
	return page(k, k.usages(compute, place))
}

// quotaPlace is the provider and region that a question about quotas is for.
func (k *call) quotaPlace() (provider, place string, f *fault) {
	place, _, known := region(k.at.location)
	if !known || k.at.of != compute && k.at.of != learning {
		return "", "", bad("InvalidScope", "Quotas here are those of Microsoft.Compute and Microsoft.MachineLearningServices in a region.")
	}
	return k.at.of, place, nil
}

func (k *call) quotaView(u object) object {
	name := u["name"].(object)["value"].(string)
	return object{"id": k.at.scope + "/providers/Microsoft.Quota/quotas/" + name, "name": name, "type": "Microsoft.Quota/Quotas", "properties": object{
		"limit": object{"limitObjectType": "LimitValue", "limitType": "Independent", "value": u["limit"]}, "name": u["name"], "unit": "Count",
		"isQuotaApplicable": true, "properties": object{}}}
}

func listQuotas(k *call) (reply, *fault) {
	provider, place, f := k.quotaPlace()
	if f != nil {
		return reply{}, f
	}
	rows := []object{}
	for _, u := range k.usages(provider, place) {
		rows = append(rows, k.quotaView(u))
	}
	return page(k, rows)
}

func listQuotaUsages(k *call) (reply, *fault) {
	provider, place, f := k.quotaPlace()
	if f != nil {
		return reply{}, f
	}
	rows := []object{}
	for _, u := range k.usages(provider, place) {
		name := u["name"].(object)["value"].(string)
		rows = append(rows, object{"id": k.at.scope + "/providers/Microsoft.Quota/usages/" + name, "name": name, "type": "Microsoft.Quota/Usages",
			"properties": object{"usages": object{"value": u["currentValue"]}, "name": u["name"], "unit": "Count", "isQuotaApplicable": true}})
	}
	return page(k, rows)
}

// quotaNow is how a quota stands. One that nothing uses is there too.
func (k *call) quotaNow(provider, place, name string) object {
	for _, u := range k.usages(provider, place) {
		if strings.EqualFold(u["name"].(object)["value"].(string), name) {
			return u
		}
	}
	return object{"unit": "Count", "currentValue": 0, "limit": k.quota(provider, place, name), "name": object{"value": name, "localizedValue": name + " vCPUs"}}
}

func getQuota(k *call) (reply, *fault) {
	provider, place, f := k.quotaPlace()
	if f != nil {
		return reply{}, f
	}
	return ok(k.quotaView(k.quotaNow(provider, place, k.params["name"]))), nil
}

// putQuota asks for another limit: granted after a while. Lower than what is in use it
// cannot be (K).
func putQuota(k *call) (reply, *fault) {
	provider, place, f := k.quotaPlace()
	if f != nil {
		return reply{}, f
	}
	var in struct {
		named
		Properties struct {
			Limit struct {
				Kind  string `json:"limitObjectType"`
				Type  any    `json:"limitType"`
				Value *int   `json:"value"`
			} `json:"limit"`
			Name struct {
				Value string `json:"value"`
				Local any    `json:"localizedValue"`
			} `json:"name"`
			Resource   string `json:"resourceType"`
			Unit       any    `json:"unit"`
			Applicable any    `json:"isQuotaApplicable"`
			Properties any    `json:"properties"`
		} `json:"properties"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	name, limit := k.params["name"], in.Properties.Limit.Value
	now := k.quotaNow(provider, place, name)
	switch {
	case len(name) > 100 || in.Properties.Name.Value != "" && !strings.EqualFold(in.Properties.Name.Value, name):
		return reply{}, bad("InvalidResourceName", "The resource name is not that of the request.")
	case limit == nil || *limit < 0 || *limit > maxQuota || in.Properties.Limit.Kind != "" && in.Properties.Limit.Kind != "LimitValue":
		return reply{}, bad("InvalidLimit", "The limit must be a LimitValue between 0 and "+strconv.Itoa(maxQuota)+".")
	case *limit < now["currentValue"].(int):
		return reply{}, bad("QuotaReductionNotSupported", "The limit cannot be lower than the current usage, "+strconv.Itoa(now["currentValue"].(int))+".")
	}
	q := world.AzureQuota{Provider: provider, Location: place, Name: now["name"].(object)["value"].(string), Limit: *limit, Request: world.NewGUID(), At: k.now,
		By: k.who.ObjectID}
	k.change(k.route.action, k.at.scope+"/providers/Microsoft.Quota/quotas/"+q.Name, "Accepted", func(a *world.AzureSubscription) { a.Ask(q) })
	at := k.base + k.at.scope + "/providers/Microsoft.Quota/quotaRequests/" + q.Request + "?api-version=" + k.param("api-version")
	return reply{status: http.StatusAccepted, body: k.requestView(&q), header: map[string]string{"Location": at, "Retry-After": retryAfter(k.a.long)}}, nil
}

func (k *call) requestView(q *world.AzureQuota) object {
	state := "Succeeded"
	if k.now.Before(q.At.Add(k.a.long)) {
		state = "InProgress"
	}
	return object{"id": k.at.scope + "/providers/Microsoft.Quota/quotaRequests/" + q.Request, "name": q.Request, "type": "Microsoft.Quota/quotaRequests",
		"properties": object{"provisioningState": state, "requestSubmitTime": q.At.UTC().Format(time.RFC3339Nano), "value": []object{{
			"limit": object{"limitObjectType": "LimitValue", "value": q.Limit}, "name": object{"value": q.Name}, "provisioningState": state,
			"subRequestId": q.Request}}}}
}

func listQuotaRequests(k *call) (reply, *fault) {
	provider, place, f := k.quotaPlace()
	if f != nil {
		return reply{}, f
	}
	rows := []object{}
	for _, q := range slices.Backward(k.sub.Quotas) {
		if q.Provider == provider && q.Location == place {
			rows = append(rows, k.requestView(&q))
		}
	}
	return page(k, rows)
}

func getQuotaRequest(k *call) (reply, *fault) {
	for _, q := range k.sub.Quotas {
		if strings.EqualFold(q.Request, k.params["name"]) {
			return ok(k.requestView(&q)), nil
		}
	}
	return reply{}, refuse(http.StatusNotFound, "QuotaRequestNotFound", "The quota request could not be found.")
}

// quotaRoutes are Microsoft.Quota at a provider's region:
// /subscriptions/{}/providers/Microsoft.Compute/locations/{}/providers/Microsoft.Quota/…
func quotaRoutes() []*route {
	return from(kit.Read, "Azure Quota: Quota, Usages, Quota Request Status (REST 2023-02-01)",
		add("GET", atLocation, quotas, "quotas", "Microsoft.Quota/quotas/read", listQuotas).takes("$top", "$skiptoken"),
		add("GET", atLocation, quotas, "quotas/{name}", "Microsoft.Quota/quotas/read", getQuota),
		add("PUT", atLocation, quotas, "quotas/{name}", "Microsoft.Quota/quotas/write", putQuota),
		add("PATCH", atLocation, quotas, "quotas/{name}", "Microsoft.Quota/quotas/write", putQuota),
		add("GET", atLocation, quotas, "usages", "Microsoft.Quota/usages/read", listQuotaUsages).takes("$top", "$skiptoken"),
		add("GET", atLocation, quotas, "quotaRequests", "Microsoft.Quota/quotaRequests/read", listQuotaRequests).takes("$top", "$skiptoken", "$filter"),
		add("GET", atLocation, quotas, "quotaRequests/{name}", "Microsoft.Quota/quotaRequests/read", getQuotaRequest),
	)
}
