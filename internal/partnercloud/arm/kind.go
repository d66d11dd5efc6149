package arm

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// kind is a type of resources beside machines that can be made here. What lies in
// another resource has its name behind that one's: account/pool.
type kind struct {
	full    string   // Microsoft.Batch/batchAccounts/pools
	inside  string   // the type of what it lies in; "" is none
	members []string // properties that can be written; what they hold is kept as it is
	// read takes size, number and price from what was written. An answer is a refusal.
	read func(*call, *world.AzureResource) *fault
	// view adds what the service says of itself to what was written.
	view func(*call, *world.AzureResource, object)
	// whole shows all of one; nil is the usual form with what view adds.
	whole func(*call, *world.AzureResource) object
}

// words are the path of one: batchAccounts/{name}/pools/{child}.
func (d *kind) words() string {
	parts := strings.Split(d.full, "/")[1:]
	if d.inside == "" {
		return parts[0] + "/{name}"
	}
	return parts[0] + "/{name}/" + parts[1] + "/{child}"
}

// list is the path of all of them.
func (d *kind) list() string { w := d.words(); return w[:strings.LastIndexByte(w, '/')] }

func (d *kind) provider() string {
	namespace, _, _ := strings.Cut(d.full, "/")
	return strings.ToLower(namespace)
}

// routes are what every type has: lists, and one that is read, made and deleted.
func (d *kind) routes() []*route {
	places := atSubscription | atGroup
	if d.inside != "" {
		places = atGroup
	}
	return []*route{
		add("GET", places, d.provider(), d.list(), d.full+"/read", d.all).takes("$top", "$skiptoken"),
		add("GET", atGroup, d.provider(), d.words(), d.full+"/read", d.one),
		add("PUT", atGroup, d.provider(), d.words(), d.full+"/write", d.put),
		off(add("DELETE", atGroup, d.provider(), d.words(), d.full+"/delete", d.remove)),
	}
}

// named is the name of the path, with that of what it lies in.
func (k *call) named() string {
	if child := k.params["child"]; child != "" {
		return k.params["name"] + "/" + child
	}
	return k.params["name"]
}

// find gives the resource of a type and the path's name, or -1.
func (k *call) find(kind, name string) int {
	return slices.IndexFunc(k.sub.Resources, func(r world.AzureResource) bool {
		return strings.EqualFold(r.Type, kind) && strings.EqualFold(r.Name, name) && strings.EqualFold(r.Group, k.at.group) &&
			powerAt(&r, k.now) != "deleted"
	})
}

// here finds the resource of the path, or refuses.
func (k *call) here(d *kind) (int, *fault) {
	if d.inside != "" && k.find(d.inside, k.params["name"]) < 0 {
		return -1, missing(k, d.inside, k.params["name"])
	}
	if i := k.find(d.full, k.named()); i >= 0 {
		return i, nil
	}
	return -1, missing(k, d.full, k.named())
}

func missing(k *call, kind, name string) *fault {
	return refuse(http.StatusNotFound, "ResourceNotFound", "The Resource '"+kind+"/"+clip(name)+"' under resource group '"+clip(k.at.group)+
		"' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix")
}

// written adds the properties that were written to those that are told.
func written(props object, r *world.AzureResource) {
	if len(r.Props) == 0 {
		return
	}
	var own object
	if json.Unmarshal(r.Props, &own) != nil {
		return
	}
	for name, v := range own {
		if _, told := props[name]; !told {
			props[name] = v
		}
	}
}

func (d *kind) show(k *call, r *world.AzureResource) object {
	if d.whole != nil {
		return d.whole(k, r)
	}
	props := object{"provisioningState": provisioning(powerAt(r, k.now))}
	written(props, r)
	v := object{"id": resourceID(k.sub.ID, r), "name": r.Name[strings.LastIndexByte(r.Name, '/')+1:], "type": d.full, "properties": props}
	if d.inside == "" || d.full == computeKind {
		v["location"], v["tags"] = r.Location, tags(r)
	}
	d.view(k, r, v)
	return v
}

func (d *kind) all(k *call) (reply, *fault) {
	if d.inside != "" && k.find(d.inside, k.params["name"]) < 0 {
		return reply{}, missing(k, d.inside, k.params["name"])
	}
	rows := []object{}
	for _, r := range k.resources() {
		if strings.EqualFold(r.Type, d.full) && (d.inside == "" || strings.HasPrefix(strings.ToLower(r.Name), strings.ToLower(k.params["name"])+"/")) {
			rows = append(rows, d.show(k, &r))
		}
	}
	return page(k, rows)
}

func (d *kind) one(k *call) (reply, *fault) {
	i, f := k.here(d)
	if f != nil {
		return reply{}, f
	}
	return ok(d.show(k, &k.sub.Resources[i])), nil
}

// remove takes a while, and takes what lies inside with it.
func (d *kind) remove(k *call) (reply, *fault) {
	i, f := k.here(d)
	if f != nil {
		if f.Code == "ResourceNotFound" {
			return reply{status: http.StatusNoContent}, nil
		}
		return reply{}, f
	}
	inner := strings.ToLower(k.sub.Resources[i].Name) + "/"
	due := k.now.Add(k.a.long)
	rep := k.turn(i, "deleting")
	k.tenant.Azure.Change(k.sub.ID, func(a *world.AzureSubscription) {
		a.Resources = slices.Clone(a.Resources)
		for j := range a.Resources {
			if r := &a.Resources[j]; strings.EqualFold(r.Group, k.at.group) && strings.HasPrefix(strings.ToLower(r.Type), strings.ToLower(d.full)+"/") &&
				strings.HasPrefix(strings.ToLower(r.Name), inner) && powerAt(r, k.now) != "deleted" {
				*r = r.Pay(false, due)
				r.Power, r.Due = "deleting", due
			}
		}
	})
	k.sub = k.tenant.Azure.Get(k.sub.ID)
	return rep, nil
}

// sentResource is what PUT and PATCH send; what was read may come back with it.
type sentResource struct {
	named
	Location   string            `json:"location"`
	Tags       map[string]string `json:"tags"`
	Sku        *sentSKU          `json:"sku"`
	Kind       any               `json:"kind,omitempty"`
	Identity   any               `json:"identity,omitempty"`
	Zones      any               `json:"zones,omitempty"`
	Plan       any               `json:"plan,omitempty"`
	ETag       any               `json:"etag,omitempty"`
	SystemData any               `json:"systemData,omitempty"`
	Properties object            `json:"properties"`
}

type sentSKU struct {
	Name     string `json:"name"`
	Tier     string `json:"tier"`
	Capacity *int   `json:"capacity"`
}

// keep gives the properties that may be written; what is told of the resource as it is
// may come back unchanged.
func (in *sentResource) keep(members []string, now object) (object, *fault) {
	told, _ := plain(now["properties"]).(map[string]any)
	out := object{}
	for _, name := range slices.Sorted(maps.Keys(in.Properties)) {
		v := in.Properties[name]
		if i := slices.IndexFunc(members, func(m string) bool { return strings.EqualFold(m, name) }); i >= 0 {
			out[members[i]] = v
			continue
		}
		have, there := told[name]
		if !there && v != nil {
			return nil, bad("InvalidRequestContent", "Could not find member '"+clip(name)+"' on the properties.")
		}
		if f := unchanged(name, v, have); f != nil {
			return nil, f
		}
	}
	return out, nil
}

const maxResources = 800 // of a type and group, as published

// place checks what every new resource needs: its group, a region, the provider's
// registration, and room.
func (k *call) place(kind, location string) (string, *fault) {
	g := k.group()
	name, _, known := region(location)
	namespace, short, _ := strings.Cut(kind, "/")
	var p *provider
	for _, o := range providers() {
		if strings.EqualFold(o.namespace, namespace) {
			p = &o
		}
	}
	same := 0
	for _, r := range k.resources() {
		if strings.EqualFold(r.Type, kind) {
			same++
		}
	}
	switch {
	case g == nil:
		return "", noGroup(k)
	case !g.Gone.IsZero():
		return "", refuse(http.StatusConflict, "ResourceGroupBeingDeleted", "The resource group '"+g.Name+
			"' is in deprovisioning state and cannot perform this operation.")
	case !known:
		return "", bad("LocationNotAvailableForResourceType", "The provided location '"+clip(location)+"' is not available for resource type '"+kind+"'.")
	case p != nil && k.registration(p) != "Registered" && same == 0:
		return "", refuse(http.StatusConflict, "MissingSubscriptionRegistration", "The subscription is not registered to use namespace '"+namespace+
			"'. See https://aka.ms/rps-not-found for how to register subscriptions.")
	case same >= maxResources:
		return "", refuse(http.StatusConflict, "ResourceQuotaExceeded", "The resource group has as many resources of type '"+short+"' as it may have.")
	}
	return name, nil
}

// put makes a resource, or changes what it is.
func (d *kind) put(k *call) (reply, *fault) {
	var in sentResource
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	at := k.find(d.full, k.named())
	r := world.AzureResource{Group: k.at.group, Type: d.full, Name: k.named(), Created: k.now, Tags: in.Tags}
	now := object{}
	if at >= 0 {
		r = k.sub.Resources[at]
		now = d.show(k, &r)
		if in.Tags != nil {
			r.Tags = in.Tags
		}
	} else if d.inside != "" {
		i := k.find(d.inside, k.params["name"])
		if i < 0 {
			return reply{}, missing(k, d.inside, k.params["name"])
		}
		r.Location = k.sub.Resources[i].Location
	}
	if in.Location != "" || r.Location == "" {
		place, f := k.place(d.full, in.Location)
		if f != nil {
			return reply{}, f
		}
		if at >= 0 && place != r.Location {
			return reply{}, refuse(http.StatusConflict, "InvalidResourceLocation", "The resource '"+r.Name+"' already exists in location '"+r.Location+"'.")
		}
		r.Location = place
	}
	id := resourceID(k.sub.ID, &r)
	if f := in.judge(id, d.full); f != nil {
		return reply{}, f
	}
	props, f := in.keep(d.members, now)
	if f != nil {
		return reply{}, f
	}
	if d.full == setType && in.Sku != nil {
		r.Size, r.Count = in.Sku.Name, 1
		if in.Sku.Capacity != nil {
			r.Count = *in.Sku.Capacity
		}
	}
	return d.store(k, at, r, props)
}

// store writes a resource with new properties: paid for by what it now runs.
func (d *kind) store(k *call, at int, r world.AzureResource, props object) (reply, *fault) {
	raw, err := json.Marshal(props)
	if err != nil || len(raw) > kit.MaxBody/4 {
		return reply{}, bad("InvalidRequestContent", "The properties are too large.")
	}
	r.Props = raw
	if f := d.read(k, &r); f != nil {
		return reply{}, f
	}
	due := k.now.Add(k.a.long)
	r.Power, r.Due = "creating", due
	switch {
	case r.Count == 0 && slices.Contains([]string{poolKind, computeKind, setType}, d.full):
		r.Power = "deallocating" // nothing runs
	case at >= 0:
		r.Power = "starting"
	}
	r = r.Pay(r.Power != "deallocating", due)
	k.shown = d.show(k, &r)
	k.changeUntil(k.route.action, resourceID(k.sub.ID, &r), "Accepted", due, func(a *world.AzureSubscription) {
		a.Resources = slices.Clone(a.Resources)
		if at >= 0 {
			a.Resources[at] = r
		} else {
			a.Resources = append(a.Resources, r)
		}
	})
	status := http.StatusCreated
	if at >= 0 {
		status = http.StatusOK
	}
	return reply{status: status, body: k.shown, header: k.polled(r.Location, due)}, nil
}

// act makes a handler of an action on a resource of this type. unfit says when it cannot
// be done; "" does it.
func (d *kind) act(state string, unfit func(*call, *world.AzureResource) string) func(*call) (reply, *fault) {
	return func(k *call) (reply, *fault) {
		i, f := k.here(d)
		if f != nil {
			return reply{}, f
		}
		if why := unfit(k, &k.sub.Resources[i]); why != "" {
			return reply{}, refuse(http.StatusConflict, "Conflict", why)
		}
		return k.turn(i, state), nil
	}
}
