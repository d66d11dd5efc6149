package world

import (
	"encoding/json"
	"strings"
	"time"
)

// AzureAct is an act as the activity log tells of it: a row for its beginning, one for
// what was answered, and one for the end of a long operation.
type AzureAct struct {
	Tenant, Subscription string
	Action, Resource     string // Microsoft.Compute/virtualMachines/write, and the full id
	Status               string // Started, Accepted, Succeeded, Failed
	At                   time.Time
	Caller               string // upn, or the object id of an app
	Claims               map[string]string
	Role                 string // that let it; "" unknown
	IP, Method           string
	Correlation          string
	Request, Answer      string // bodies, as JSON texts; "" is not shown
	SubStatus            string
}

// statusCodes are what a row says of the answer's status.
var statusCodes = map[string]string{"Started": "", "Accepted": "Accepted", "Succeeded": "OK", "Failed": "Forbidden"}

// JSON is the row, with the members of Azure Monitor's EventData.
func (e *AzureAct) JSON() json.RawMessage {
	text := func(v string) map[string]any { return map[string]any{"value": v, "localizedValue": v} }
	provider, kind, _ := strings.Cut(e.Action, "/")
	group := ""
	if parts := strings.Split(e.Resource, "/"); len(parts) > 4 && strings.EqualFold(parts[3], "resourceGroups") {
		group = parts[4]
	}
	kind = strings.TrimSuffix(kind, "/action") // Microsoft.Compute/virtualMachines/start/action is of virtualMachines
	if i := strings.LastIndexByte(kind, '/'); i > 0 {
		kind = kind[:i]
	}
	name, level := "EndRequest", "Informational"
	switch e.Status {
	case "Started":
		name = "BeginRequest"
	case "Failed":
		level = "Error"
	}
	props := map[string]any{"statusCode": statusCodes[e.Status], "serviceRequestId": nil, "eventCategory": "Administrative", "entity": e.Resource,
		"message": e.Action, "hierarchy": e.Tenant + "/" + e.Subscription}
	if e.Request != "" {
		props["requestbody"] = e.Request
	}
	if e.Answer != "" {
		props["responseBody"] = e.Answer
	}
	id, at := NewGUID(), e.At.UTC().Format("2006-01-02T15:04:05.0000000Z")
	raw, err := json.Marshal(map[string]any{
		"authorization": map[string]any{"action": e.Action, "role": e.Role, "scope": e.Resource}, "caller": e.Caller, "channels": "Operation",
		"claims": e.Claims, "correlationId": e.Correlation, "description": "", "eventDataId": id, "eventName": text(name),
		"category": text("Administrative"), "eventTimestamp": at, "submissionTimestamp": at,
		"id": e.Resource + "/events/" + id + "/ticks/" + e.At.UTC().Format("20060102150405"), "level": level, "operationId": e.Correlation,
		"operationName": text(e.Action), "resourceGroupName": group, "resourceProviderName": text(provider), "resourceType": text(provider + "/" + kind),
		"resourceId": e.Resource, "status": text(e.Status), "subStatus": text(e.SubStatus), "subscriptionId": e.Subscription, "tenantId": e.Tenant,
		"properties":  props,
		"httpRequest": map[string]any{"clientRequestId": e.Correlation, "clientIpAddress": e.IP, "method": e.Method},
	})
	if err != nil {
		panic("world: an event has no JSON: " + err.Error()) // texts alone
	}
	return raw
}
