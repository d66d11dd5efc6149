//go:build !judge

package inquiry

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"partnerguard/internal/lenient"
)

// activityRow is an event of Azure's activity log, as its API, a diagnostic setting and flat
// exports have it; names compare without case.
type activityRow struct {
	ID          lenient.String  `json:"eventDataId"`
	At          lenient.Time    `json:"eventTimestamp"`
	Time        lenient.Time    `json:"time"`
	Operation   valued          `json:"operationName"`
	Status      valued          `json:"status"`
	Result      lenient.String  `json:"resultType"`
	Category    valued          `json:"category"`
	Caller      lenient.String  `json:"caller"`
	Claims      json.RawMessage `json:"claims"`
	Auth        authorization   `json:"authorization"`
	Identity    json.RawMessage `json:"identity"`
	Resource    lenient.String  `json:"resourceId"`
	Sub         lenient.String  `json:"subscriptionId"`
	Location    lenient.String  `json:"location"`
	HTTP        httpRequest     `json:"httpRequest"`
	IP          lenient.String  `json:"callerIpAddress"`
	Properties  json.RawMessage `json:"properties"`
	Correlation lenient.String  `json:"correlationId"`
}

type authorization struct {
	Action lenient.String `json:"action"`
	Scope  lenient.String `json:"scope"`
}

// UnmarshalJSON takes what is no object for none.
func (a *authorization) UnmarshalJSON(b []byte) error {
	type plain authorization
	return object(b, (*plain)(a))
}

type httpRequest struct {
	IP lenient.String `json:"clientIpAddress"`
}

// UnmarshalJSON takes what is no object for none.
func (h *httpRequest) UnmarshalJSON(b []byte) error {
	type plain httpRequest
	return object(b, (*plain)(h))
}

// object reads an object, also one within a text; what is none reads as absent.
func object(b []byte, into any) error {
	b = inText(b)
	if len(b) > 0 && b[0] == '{' {
		_ = json.Unmarshal(b, into) // what fits is there
	}
	return nil
}

// inText takes JSON out of the text that it may stand in.
func inText(b []byte) []byte {
	b = bytes.TrimSpace(b)
	var s string
	if len(b) > 0 && b[0] == '"' && json.Unmarshal(b, &s) == nil {
		return bytes.TrimSpace([]byte(s))
	}
	return b
}

// valued is a text, or an object with one.
type valued string

// UnmarshalJSON takes both.
func (v *valued) UnmarshalJSON(b []byte) error {
	var o struct{ Value lenient.String }
	var s lenient.String
	if len(b) > 0 && b[0] == '{' {
		_ = json.Unmarshal(b, &o)
		*v = valued(o.Value)
		return nil
	}
	_ = json.Unmarshal(b, &s)
	*v = valued(s)
	return nil
}

// claimNames are what claims of a caller's token are called there.
const (
	claimObject = "http://schemas.microsoft.com/identity/claims/objectidentifier"
	claimUPN    = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
	claimIDP    = "http://schemas.microsoft.com/identity/claims/identityprovider"
)

// claims are those of a caller's token, by name.
func (r *activityRow) claims() map[string]string {
	raw := inText(r.Claims)
	if len(raw) == 0 || raw[0] != '{' {
		var id struct {
			Claims        json.RawMessage `json:"claims"`
			Authorization authorization   `json:"authorization"`
		}
		_ = object(r.Identity, &id)
		if raw = inText(id.Claims); r.Auth.Action == "" {
			r.Auth = id.Authorization
		}
	}
	out := map[string]string{}
	lenient.Members(raw, func(name string, value json.RawMessage) {
		var s lenient.String
		if len(out) < 64 && json.Unmarshal(value, &s) == nil {
			out[strings.ToLower(name)] = string(s)
		}
	})
	return out
}

// when is when it happened.
func (r *activityRow) when() time.Time {
	if r.At.Set {
		return r.At.Time.UTC()
	}
	if r.Time.Set {
		return r.Time.Time.UTC()
	}
	return time.Time{}
}

// asked is what a request or its answer says of what is made.
type asked struct {
	Location   lenient.String  `json:"location"`
	SKU        valuedName      `json:"sku"`
	VMSize     lenient.String  `json:"vmSize"`
	Properties json.RawMessage `json:"properties"`
}

type askedMore struct {
	VMSize     lenient.String  `json:"vmSize"`
	Hardware   json.RawMessage `json:"hardwareProfile"`
	Properties json.RawMessage `json:"properties"`
	Location   lenient.String  `json:"computeLocation"`
	Principal  lenient.String  `json:"principalId"`
	PType      lenient.String  `json:"principalType"`
	Role       lenient.String  `json:"roleDefinitionId"`
	Scope      lenient.String  `json:"scope"`
}

// valuedName is a text, or an object with a name.
type valuedName string

// UnmarshalJSON takes both.
func (v *valuedName) UnmarshalJSON(b []byte) error {
	var o struct{ Name lenient.String }
	var s lenient.String
	if len(b) > 0 && b[0] == '{' {
		_ = json.Unmarshal(b, &o)
		*v = valuedName(o.Name)
		return nil
	}
	_ = json.Unmarshal(b, &s)
	*v = valuedName(s)
	return nil
}

// about is what a body says of what is made by it.
type about struct{ region, sku, principal, ptype, role, scope string }

// told reads what the request, the answer or the flat properties say; the request first.
func (r *activityRow) told() (out about) {
	var p struct {
		Request  json.RawMessage `json:"requestbody"`
		Response json.RawMessage `json:"responseBody"`
	}
	_ = object(r.Properties, &p)
	for _, raw := range []json.RawMessage{p.Request, p.Response, r.Properties} {
		out.join(inText(raw))
	}
	return out
}

func (o *about) join(raw []byte) {
	if len(raw) == 0 || raw[0] != '{' {
		return
	}
	var a asked
	var m, inner askedMore
	var hw struct {
		VMSize lenient.String `json:"vmSize"`
	}
	_ = json.Unmarshal(raw, &a)
	_ = object(a.Properties, &m)
	_ = object(m.Properties, &inner)
	_ = object(m.Hardware, &hw)
	first := func(to *string, list ...lenient.String) {
		for _, s := range list {
			if *to == "" {
				*to = string(s)
			}
		}
	}
	first(&o.region, a.Location, m.Location, inner.Location)
	first(&o.sku, hw.VMSize, m.VMSize, inner.VMSize, a.VMSize, lenient.String(a.SKU))
	first(&o.principal, m.Principal, inner.Principal)
	first(&o.ptype, m.PType, inner.PType)
	first(&o.role, m.Role, inner.Role)
	first(&o.scope, m.Scope, inner.Scope)
}

// assignmentRow is a role assignment of Azure as ARM lists it.
type assignmentRow struct {
	ID         lenient.String `json:"id"`
	Name       lenient.String `json:"name"`
	Properties struct {
		Role      lenient.String `json:"roleDefinitionId"`
		Principal lenient.String `json:"principalId"`
		Type      lenient.String `json:"principalType"`
		Scope     lenient.String `json:"scope"`
		Created   lenient.Time   `json:"createdOn"`
		By        lenient.String `json:"createdBy"`
	} `json:"properties"`
}

// resourceRow is a resource of Azure as ARM lists it.
type resourceRow struct {
	ID         lenient.String `json:"id"`
	Name       lenient.String `json:"name"`
	Type       lenient.String `json:"type"`
	Location   lenient.String `json:"location"`
	SKU        valuedName     `json:"sku"`
	Created    lenient.Time   `json:"createdTime"`
	Properties struct {
		Hardware struct {
			VMSize lenient.String `json:"vmSize"`
		} `json:"hardwareProfile"`
		Created lenient.Time `json:"timeCreated"`
	} `json:"properties"`
}

// usageRow is a customer's month as Partner Center estimates it (contracts.md section 7.2).
type usageRow struct {
	ID       lenient.String `json:"resourceId"`
	Total    *float64       `json:"totalCost"`
	Currency lenient.String `json:"currencyCode"`
	At       lenient.Time   `json:"lastModifiedDate"`
	Budget   struct {
		Amount *float64 `json:"amount"`
	} `json:"budget"`
}
