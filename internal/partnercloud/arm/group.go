package arm

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

// groups are the resource groups of this moment: those that were made, and those
// that a resource stands in.
func (k *call) groups() []world.AzureGroup {
	var out []world.AzureGroup
	at := map[string]int{}
	for _, g := range k.sub.Groups {
		at[strings.ToLower(g.Name)] = len(out)
		out = append(out, g)
	}
	for i := range k.sub.Resources { // a group outlives what was in it
		r := &k.sub.Resources[i]
		key := strings.ToLower(r.Group)
		j, known := at[key]
		if !known {
			j = len(out)
			at[key] = j
			out = append(out, world.AzureGroup{Name: r.Group, Created: r.Created})
		}
		if out[j].Location == "" {
			out[j].Location = r.Location
		}
	}
	return slices.DeleteFunc(out, func(g world.AzureGroup) bool { return !g.Gone.IsZero() && !k.now.Before(g.Gone) })
}

// group finds the group of the path, or nil.
func (k *call) group() *world.AzureGroup {
	all := k.groups()
	if i := slices.IndexFunc(all, func(g world.AzureGroup) bool { return strings.EqualFold(g.Name, k.at.group) }); i >= 0 {
		return &all[i]
	}
	return nil
}

func (k *call) groupView(g *world.AzureGroup) object {
	state := "Succeeded"
	if !g.Gone.IsZero() {
		state = "Deleting"
	}
	v := object{"id": "/subscriptions/" + k.sub.ID + "/resourceGroups/" + g.Name, "name": g.Name, "type": "Microsoft.Resources/resourceGroups",
		"location": g.Location, "properties": object{"provisioningState": state}}
	if len(g.Tags) > 0 {
		v["tags"] = g.Tags
	}
	if g.Managed != "" {
		v["managedBy"] = g.Managed
	}
	return v
}

var (
	equality  = pattern.Later(`(?i)^([a-z]{1,32}) eq '((?:[^']|'')*)'$`)
	substring = pattern.Later(`(?i)^substringof\('((?:[^']|'')+)', ?name\)$`)
)

// conditions reads a $filter of equalities joined by and: names in lower case, with
// their values. substringof('…', name) is there as "substringof".
func conditions(text string, names ...string) (map[string]string, *fault) {
	out := map[string]string{}
	if strings.TrimSpace(text) == "" {
		return out, nil
	}
	for _, part := range conjunction.Split(text, -1) {
		part = unwrapped(part)
		if m := substring.FindStringSubmatch(part); m != nil && slices.Contains(names, "substringof") && out["substringof"] == "" {
			out["substringof"] = strings.ReplaceAll(m[1], "''", "'")
			continue
		}
		m := equality.FindStringSubmatch(part)
		if m == nil || m[2] == "" || !slices.Contains(names, strings.ToLower(m[1])) || out[strings.ToLower(m[1])] != "" {
			return nil, bad("InvalidFilterInQueryString", "Invalid $filter '"+clip(text)+"' specified in the query string: conditions here are "+
				strings.Join(names, ", ")+", by eq, joined by and.")
		}
		out[strings.ToLower(m[1])] = strings.ReplaceAll(m[2], "''", "'")
	}
	return out, nil
}

// unwrapped takes off the parentheses around a condition.
func unwrapped(part string) string {
	part = strings.TrimSpace(part)
	for strings.HasPrefix(part, "(") && strings.HasSuffix(part, ")") {
		part = strings.TrimSpace(part[1 : len(part)-1])
	}
	return part
}

// tagged reports that tags meet the conditions on them.
func tagged(tags map[string]string, want map[string]string) bool {
	name, value := want["tagname"], want["tagvalue"]
	if name == "" && value == "" {
		return true
	}
	for n, v := range tags {
		if (name == "" || strings.EqualFold(n, name)) && (value == "" || v == value) {
			return true
		}
	}
	return false
}

func listGroups(k *call) (reply, *fault) {
	want, f := conditions(k.param("$filter"), "tagname", "tagvalue")
	if f != nil {
		return reply{}, f
	}
	rows := []object{}
	for _, g := range k.groups() {
		if tagged(g.Tags, want) {
			rows = append(rows, k.groupView(&g))
		}
	}
	return page(k, rows)
}

func noGroup(k *call) *fault {
	return refuse(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '"+clip(k.at.group)+"' could not be found.")
}

// getGroup answers HEAD, the question whether there is one, with 204.
func getGroup(k *call) (reply, *fault) {
	g := k.group()
	switch {
	case g == nil:
		return reply{}, noGroup(k)
	case k.Method == http.MethodHead:
		return reply{status: http.StatusNoContent}, nil
	}
	return ok(k.groupView(g)), nil
}

// groupBody is what PUT and PATCH send; what was read may come back with it.
type groupBody struct {
	named
	Location   string            `json:"location"`
	Managed    *string           `json:"managedBy"`
	Tags       map[string]string `json:"tags"`
	Properties *struct {
		State any `json:"provisioningState"`
	} `json:"properties"`
}

const (
	maxGroups = 980 // as published, for a subscription
	maxTags   = 50
)

var groupName = pattern.Later(`^[-\w._()]{1,90}$`)

func (k *call) checkGroup(in *groupBody, old *world.AzureGroup) *fault {
	if f := in.judge("/subscriptions/"+k.sub.ID+"/resourceGroups/"+k.at.group, "Microsoft.Resources/resourceGroups"); f != nil {
		return f
	}
	var state any
	if old != nil {
		state = k.groupView(old)["properties"].(object)["provisioningState"]
	}
	if in.Properties != nil {
		if f := unchanged("provisioningState", in.Properties.State, state); f != nil {
			return f
		}
	}
	if in.Managed != nil && len(*in.Managed) > maxPath {
		return bad("InvalidRequestContent", "managedBy is too long.")
	}
	if len(in.Tags) > maxTags {
		return bad("TooManyTags", "A resource group has at most 50 tags.")
	}
	for n, v := range in.Tags {
		if n == "" || len(n) > 512 || len(v) > 256 || strings.ContainsAny(n, `<>%&\?/`) {
			return bad("InvalidTagNameCharacters", "The tag '"+clip(n)+"' has a name or value that is not allowed.")
		}
	}
	return nil
}

func putGroup(k *call) (reply, *fault) {
	var in groupBody
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	old := k.group()
	if f := k.checkGroup(&in, old); f != nil {
		return reply{}, f
	}
	name := k.at.group
	place, _, known := region(in.Location)
	switch {
	case !groupName.MatchString(name) || strings.HasSuffix(name, "."):
		return reply{}, bad("InvalidResourceGroupName", "The resource group name must have 1 to 90 letters, digits, - . _ ( ), and not end with a full stop.")
	case in.Location == "":
		return reply{}, bad("LocationRequired", "The location property is required for this definition.")
	case !known:
		return reply{}, bad("LocationNotAvailableForResourceGroup", "The provided location '"+clip(in.Location)+"' is not available for resource group.")
	case old == nil && len(k.groups()) >= maxGroups:
		return reply{}, bad("ResourceGroupQuotaExceeded", "The subscription has as many resource groups as it may have.")
	case old != nil && !old.Gone.IsZero():
		return reply{}, refuse(http.StatusConflict, "ResourceGroupBeingDeleted", "The resource group '"+old.Name+
			"' is in deprovisioning state and cannot perform this operation.")
	case old != nil && old.Location != place:
		return reply{}, refuse(http.StatusConflict, "InvalidResourceGroupLocation", "Invalid resource group location '"+clip(in.Location)+
			"'. The Resource group already exists in location '"+old.Location+"'.")
	}
	status, g := http.StatusCreated, world.AzureGroup{Name: name, Location: place, Created: k.now}
	if old != nil {
		status, g = http.StatusOK, *old
	}
	g.Tags, g.Managed = in.Tags, ""
	if in.Managed != nil {
		g.Managed = *in.Managed
	}
	k.keepGroup(g)
	return reply{status: status, body: k.groupView(&g)}, nil
}

// keepGroup writes a group. What stood in one of that name before is gone.
func (k *call) keepGroup(g world.AzureGroup) {
	k.change(k.route.action, "/subscriptions/"+k.sub.ID+"/resourceGroups/"+g.Name, "Succeeded", func(a *world.AzureSubscription) {
		a.Groups = slices.DeleteFunc(slices.Clone(a.Groups), func(o world.AzureGroup) bool { return strings.EqualFold(o.Name, g.Name) })
		a.Groups = append(a.Groups, g)
	})
}

func patchGroup(k *call) (reply, *fault) {
	var in groupBody
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	g := k.group()
	if g == nil {
		return reply{}, noGroup(k)
	}
	if f := k.checkGroup(&in, g); f != nil {
		return reply{}, f
	}
	if place, _, _ := region(in.Location); in.Location != "" && place != g.Location {
		return reply{}, refuse(http.StatusConflict, "InvalidResourceGroupLocation", "The location of a resource group cannot be changed.")
	}
	if in.Tags != nil {
		g.Tags = in.Tags
	}
	if in.Managed != nil {
		g.Managed = *in.Managed
	}
	k.keepGroup(*g)
	return ok(k.groupView(g)), nil
}

// deleteGroup begins the deletion of a group and all that is in it.
func deleteGroup(k *call) (reply, *fault) {
	g := k.group()
	if g == nil {
		return reply{}, noGroup(k)
	}
	due := k.now.Add(k.a.long)
	if g.Gone.IsZero() {
		g.Gone = due
		k.change(k.route.action, "/subscriptions/"+k.sub.ID+"/resourceGroups/"+g.Name, "Accepted", func(a *world.AzureSubscription) {
			a.Groups = slices.DeleteFunc(slices.Clone(a.Groups), func(o world.AzureGroup) bool { return strings.EqualFold(o.Name, g.Name) })
			a.Groups = append(a.Groups, *g)
			a.Resources = slices.Clone(a.Resources)
			for i := range a.Resources {
				if r := &a.Resources[i]; strings.EqualFold(r.Group, g.Name) && powerAt(r, k.now) != "deleted" {
					*r = r.Pay(false, due)
					r.Power, r.Due = "deleting", due
				}
			}
		})
	}
	return k.accepted(due, "/operationresults/"), nil
}

// accepted is 202 with the address that tells of the end.
func (k *call) accepted(due time.Time, under string) reply {
	op := k.a.operations.add(operation{tenant: k.tenant.ID, sub: k.sub.ID, started: k.now, due: due})
	return reply{status: http.StatusAccepted, header: map[string]string{
		"Location": k.base + "/subscriptions/" + k.sub.ID + under + op + "?api-version=" + k.param("api-version"), "Retry-After": retryAfter(k.a.long),
	}}
}

// operationResult is 202 until the operation has ended, then 200.
func operationResult(k *call) (reply, *fault) {
	op, found := k.a.operations.all[strings.ToLower(k.params["operation"])]
	if !found || op.tenant != k.tenant.ID || !strings.EqualFold(op.sub, k.sub.ID) {
		return reply{}, refuse(http.StatusNotFound, "OperationNotFound", "The operation could not be found.")
	}
	if k.now.Before(op.due) {
		return reply{status: http.StatusAccepted, header: map[string]string{
			"Location": k.base + k.URL.RequestURI(), "Retry-After": retryAfter(op.due.Sub(k.now))}}, nil
	}
	return reply{status: http.StatusOK}, nil
}
