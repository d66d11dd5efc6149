package arm

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/partnercloud/arm/kql"
	"partnerguard/internal/partnercloud/world"
)

// graphQuery is a question to Resource Graph.
type graphQuery struct {
	Subscriptions []string `json:"subscriptions"`
	Groups        []string `json:"managementGroups"`
	Query         string   `json:"query"`
	Facets        []any    `json:"facets"`
	Options       struct {
		SkipToken string `json:"$skipToken"`
		Top       *int   `json:"$top"`
		Skip      *int   `json:"$skip"`
		Format    string `json:"resultFormat"`
		Partial   *bool  `json:"allowPartialScopes"`
		Scope     string `json:"authorizationScopeFilter"`
	} `json:"options"`
}

// Pages of Resource Graph, as published.
const (
	graphPage    = 100
	maxGraphPage = 1000
)

func (in *graphQuery) check() *fault {
	o := &in.Options
	switch {
	case strings.TrimSpace(in.Query) == "":
		return bad("BadRequest", "The query is missing.")
	case len(in.Facets) > 0:
		return bad("BadRequest", "Facets are not supported here.")
	case o.Format != "" && !strings.EqualFold(o.Format, "objectArray") && !strings.EqualFold(o.Format, "table"):
		return bad("BadRequest", "resultFormat must be objectArray or table.")
	case o.Scope != "" && !strings.EqualFold(o.Scope, "AtScopeAndBelow"):
		return bad("BadRequest", "authorizationScopeFilter must be AtScopeAndBelow here.")
	case o.Top != nil && (*o.Top < 1 || *o.Top > maxGraphPage):
		return bad("BadRequest", "$top must be between 1 and 1000.")
	case o.Skip != nil && *o.Skip < 0:
		return bad("BadRequest", "$skip must not be negative.")
	case len(in.Subscriptions) > maxGraphPage:
		return bad("BadRequest", "At most 1000 subscriptions can be asked.")
	}
	return nil
}

// queryResources answers a query over the resources that the caller may read.
func queryResources(k *call) (reply, *fault) {
	var in graphQuery
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if f := in.check(); f != nil {
		return reply{}, f
	}
	q, wrong := kql.Parse(in.Query, "resources", "resourcecontainers")
	if wrong != nil {
		return k.invalidQuery(wrong), nil
	}
	asked, f := k.readable(&in)
	if f != nil {
		return reply{}, f
	}
	var rows []kql.Row
	for _, a := range asked {
		if q.Table == "resources" {
			rows = append(rows, k.graphResources(a)...)
		} else {
			rows = append(rows, k.graphContainers(a)...)
		}
	}
	if q.Table == "resourcecontainers" && k.mayRoot("Microsoft.Management/managementGroups/read") {
		rows = append(rows, kql.Row{"id": k.rootGroup(), "name": k.tenant.ID, "type": "microsoft.management/managementgroups", "tenantId": k.tenant.ID,
			"properties": object{"displayName": rootName}})
	}
	return k.graphPage(&in, q.Run(rows))
}

// readable are the subscriptions of the question that the caller may read.
func (k *call) readable(in *graphQuery) ([]*world.AzureSubscription, *fault) {
	for _, g := range in.Groups {
		if !strings.EqualFold(g, k.tenant.ID) {
			return nil, accessDenied
		}
	}
	var out []*world.AzureSubscription
	for _, a := range k.live() {
		if len(in.Subscriptions) > 0 && !slices.ContainsFunc(in.Subscriptions, func(id string) bool { return strings.EqualFold(id, a.ID) }) {
			continue
		}
		if k.may(a, "Microsoft.Resources/subscriptions/resources/read", "/subscriptions/"+a.ID) {
			out = append(out, a)
		}
	}
	if len(out) == 0 && len(in.Subscriptions) > 0 {
		return nil, accessDenied
	}
	return out, nil
}

// graphResources are the rows of a subscription's resources: types in lower case,
// as Resource Graph has them.
func (k *call) graphResources(a *world.AzureSubscription) []kql.Row {
	group, sub := k.at.group, k.sub
	k.at.group, k.sub = "", a
	defer func() { k.at.group, k.sub = group, sub }()
	var rows []kql.Row
	for _, r := range k.tracked() {
		props := any(object{"provisioningState": provisioning(powerAt(&r, k.now))})
		var sku any
		switch {
		case strings.EqualFold(r.Type, machineType), strings.EqualFold(r.Type, setType):
			v := k.machineView(&r, false)
			p := v["properties"].(object)
			p["extended"] = object{"instanceView": object{"powerState": object{"code": "PowerState/" + k.powerNow(&r)}}}
			props, sku = p, v["sku"]
		case strings.EqualFold(r.Type, diskType):
			v := k.diskView(&r)
			props, sku = v["properties"], v["sku"]
		}
		rows = append(rows, kql.Row{"id": resourceID(a.ID, &r), "name": r.Name, "type": strings.ToLower(r.Type), "tenantId": k.tenant.ID, "kind": "",
			"location": r.Location, "resourceGroup": strings.ToLower(r.Group), "subscriptionId": a.ID, "managedBy": "", "sku": plain(sku), "plan": nil,
			"properties": plain(props), "tags": plain(r.Tags), "identity": nil, "zones": nil, "extendedLocation": nil})
	}
	return rows
}

func (k *call) graphContainers(a *world.AzureSubscription) []kql.Row {
	sub := k.sub
	k.sub = a
	defer func() { k.sub = sub }()
	row := func(id, name, kind, place, group string, tags, props any) kql.Row {
		return kql.Row{"id": id, "name": name, "type": kind, "tenantId": k.tenant.ID, "kind": "", "location": place, "resourceGroup": group,
			"subscriptionId": a.ID, "managedBy": "", "sku": nil, "plan": nil, "properties": plain(props), "tags": plain(tags), "identity": nil, "zones": nil,
			"extendedLocation": nil}
	}
	rows := []kql.Row{row("/subscriptions/"+a.ID, a.Name, "microsoft.resources/subscriptions", "", "", nil, object{"state": a.StateAt(k.now),
		"managedByTenants": subscriptionView(k, a)["managedByTenants"]})}
	for _, g := range k.groups() {
		rows = append(rows, row("/subscriptions/"+a.ID+"/resourceGroups/"+g.Name, g.Name, "microsoft.resources/subscriptions/resourcegroups", g.Location,
			strings.ToLower(g.Name), g.Tags, k.groupView(&g)["properties"]))
	}
	return rows
}

// graphPage cuts the answer and gives it the form that was asked for.
func (k *call) graphPage(in *graphQuery, rows []kql.Row) (reply, *fault) {
	question := k.who.Tenant + "\n" + k.who.ObjectID + "\nresourcegraph\n" + in.Query + "\n" + strings.Join(in.Subscriptions, ",")
	start, size := 0, graphPage
	if in.Options.Top != nil {
		size = *in.Options.Top
	}
	if in.Options.Skip != nil {
		start = *in.Options.Skip
	}
	if in.Options.SkipToken != "" {
		n, good := k.a.pages.open(question, in.Options.SkipToken)
		if !good {
			return reply{}, bad("BadRequest", "The $skipToken is not valid.")
		}
		start = n
	}
	total := len(rows)
	start = min(start, total)
	stop := min(start+size, total)
	var data any = append([]kql.Row{}, rows[start:stop]...)
	if strings.EqualFold(in.Options.Format, "table") {
		data = table(rows[start:stop])
	}
	body := object{"totalRecords": total, "count": stop - start, "facets": []any{}, "resultTruncated": "false", "data": data}
	if stop < total {
		body["$skipToken"], body["resultTruncated"] = k.a.pages.seal(question, stop), "true"
	}
	return reply{status: http.StatusOK, body: body, header: map[string]string{"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05",
		"x-ms-resource-graph-request-duration": "0:00:00:00.0100000"}}, nil
}

// table is the older form of an answer: columns and rows.
func table(rows []kql.Row) object {
	var names []string
	for _, r := range rows {
		for n := range r {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	slices.Sort(names)
	columns, out := []object{}, [][]any{}
	for _, n := range names {
		kind := "string"
		for _, r := range rows {
			switch r[n].(type) {
			case float64:
				kind = "integer"
			case map[string]any, []any:
				kind = "object"
			}
		}
		columns = append(columns, object{"name": n, "type": kind})
	}
	for _, r := range rows {
		line := []any{}
		for _, n := range names {
			line = append(line, r[n])
		}
		out = append(out, line)
	}
	return object{"columns": columns, "rows": out}
}

// invalidQuery refuses as Resource Graph does: the place in a detail.
func (k *call) invalidQuery(e *kql.Error) reply {
	detail := object{"code": "ParserFailure", "message": "ParserFailure: " + e.Text + ".", "line": e.Line, "characterPositionInLine": e.Column,
		"token": clip(e.Token)}
	return reply{status: http.StatusBadRequest, body: object{"error": object{"code": "BadRequest",
		"message": "Please provide below info when asking for support: timestamp = " + k.now.UTC().Format("2006-01-02T15:04:05.0000000Z") +
			", correlationId = " + k.id + ".",
		"details": []object{{"code": "InvalidQuery", "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service " +
			"and fix the error before retrying, at line " + strconv.Itoa(e.Line) + "."}, detail}}}}
}

// plain is a value as it is read from JSON, which is what a query walks through.
func plain(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		panic("arm: a view has no JSON: " + err.Error()) // texts and numbers alone
	}
	var out any
	_ = json.Unmarshal(b, &out)
	return out
}
