package center

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Service requests are tickets at Microsoft. Nobody works on them here.

var (
	severities = []string{"unknown", "critical", "moderate", "minimal"}
	states     = []string{"none", "open", "closed", "attention_needed"}
)

// topics are what a ticket can be about: ids are Microsoft's where its samples show
// them, else ours.
var topics = [][2]string{{"32444671", "Cannot manage my profile"}, {"32444672", "Billing and invoices"}, {"32444673", "Orders and subscriptions"},
	{"32444674", "Partner Center APIs"}}

// maxRequestsKept bounds the tickets.
const maxRequestsKept = 1_000

func (k *call) requestView(r *world.ServiceRequest) map[string]any {
	closed := "0001-01-01T00:00:00"
	if !r.Closed.IsZero() {
		closed = stamp(r.Closed)
	}
	notes := []map[string]any{}
	for _, n := range r.Notes {
		notes = append(notes, map[string]any{"createdByName": n.By, "createdDate": stamp(n.At), "text": n.Text})
	}
	id, name := k.partner.ID, k.partner.Name
	if c := k.partner.Customers.Get(r.Customer); c != nil {
		id, name = c.TenantID, c.Name
	}
	return map[string]any{"title": r.Title, "description": r.Text, "severity": r.Severity, "supportTopicId": r.TopicID, "supportTopicName": r.Topic, "id": r.ID,
		"status": r.Status, "organization": map[string]any{"id": id, "name": name}, "primaryContact": map[string]any{"firstName": r.By, "lastName": ""},
		"createdDate": stamp(r.Created), "lastModifiedDate": stamp(r.Changed), "lastClosedDate": closed, "notes": notes,
		"attributes": object("ServiceRequest")}
}

func listTopics(*call) (reply, *fault) {
	rows := []map[string]any{}
	for _, t := range topics {
		rows = append(rows, map[string]any{"id": t[0], "name": t[1], "description": t[1], "attributes": object("SupportTopic")})
	}
	return ok(list(rows)), nil
}

func (k *call) requestsOf(customer string) []map[string]any {
	rows := []map[string]any{}
	for _, r := range k.partner.Said().Requests {
		if customer == "" || strings.EqualFold(r.Customer, customer) {
			rows = append(rows, k.requestView(&r))
		}
	}
	return rows
}

func listRequests(k *call) (reply, *fault) { return ok(list(k.requestsOf(""))), nil }

func customerRequests(k *call) (reply, *fault) {
	return ok(list(k.requestsOf(k.customer.TenantID))), nil
}

// requestOf is one of the customer's own.
func (k *call) requestOf() (int, *fault) {
	i, f := k.requestIn()
	if f == nil && !strings.EqualFold(k.partner.Said().Requests[i].Customer, k.customer.TenantID) {
		return i, deny(entra.CenterNotFound)
	}
	return i, f
}

func (k *call) requestIn() (int, *fault) {
	i := slices.IndexFunc(k.partner.Said().Requests, func(r world.ServiceRequest) bool { return r.ID == k.params["request"] })
	if i < 0 {
		return i, deny(entra.CenterNotFound)
	}
	return i, nil
}

func getRequest(k *call, i int) (reply, *fault) {
	r := k.partner.Said().Requests[i]
	return ok(k.requestView(&r)), nil
}

type requestInput struct {
	Title    *string `json:"title"`
	Text     *string `json:"description"`
	Severity string  `json:"severity"`
	TopicID  *string `json:"supportTopicId"`
	Status   string  `json:"status"`
	Note     *struct {
		Text string `json:"text"`
		By   any    `json:"createdByName"`
		At   any    `json:"createdDate"`
	} `json:"newNote"`
	Organization *struct {
		ID    *string `json:"id"`
		Name  any     `json:"name"`
		Phone any     `json:"phoneNumber"`
	} `json:"organization"`

	ID          any `json:"id"`
	Topic       any `json:"supportTopicName"`
	Contact     any `json:"primaryContact"`
	UpdatedBy   any `json:"lastUpdatedBy"`
	ProductName any `json:"productName"`
	ProductID   any `json:"productId"`
	Created     any `json:"createdDate"`
	Changed     any `json:"lastModifiedDate"`
	Closed      any `json:"lastClosedDate"`
	Notes       any `json:"notes"`
	Country     any `json:"countryCode"`
	Files       any `json:"fileLinks"`
	sent
}

// maxText bounds a ticket's texts, maxNotes its notes.
const (
	maxText  = 16 << 10
	maxNotes = 200
)

func (in *requestInput) checkRequest() *fault {
	switch {
	case in.Severity != "" && !contains(severities, in.Severity):
		return deny(entra.CenterEnum, "severity")
	case in.Status != "" && !contains(states, in.Status):
		return deny(entra.CenterEnum, "status")
	case in.Title != nil && len(*in.Title) > maxName, in.Text != nil && len(*in.Text) > maxText, in.Note != nil && len(in.Note.Text) > maxText:
		return deny(entra.CenterMalformed, "a text is too long.")
	}
	return nil
}

// createRequest opens a ticket; the path holds the agent's language.
func createRequest(k *call) (reply, *fault) {
	var in requestInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if f := in.checkRequest(); f != nil {
		return reply{}, f
	}
	if locale(k.params["request"]) != k.params["request"] {
		return reply{}, deny(entra.CenterMalformed, "the path ends with the agent's locale, such as en-US.")
	}
	if in.Title == nil || *in.Title == "" || in.Text == nil || *in.Text == "" || in.TopicID == nil {
		return reply{}, deny(entra.CenterMalformed, "title, description and supportTopicId are needed.")
	}
	topic := slices.IndexFunc(topics, func(t [2]string) bool { return t[0] == *in.TopicID })
	if topic < 0 {
		return reply{}, deny(entra.CenterMalformed, "supportTopicId is none: GET /v1/servicerequests/supporttopics.")
	}
	all := k.partner.Said().Requests
	if len(all) >= maxRequestsKept {
		return reply{}, deny(entra.CenterMalformed, "there are too many service requests.")
	}
	r := world.ServiceRequest{ID: "6161" + strconv.FormatInt(k.now.Unix(), 10) + strconv.Itoa(100+len(all)), Title: *in.Title, Text: *in.Text,
		Severity: "minimal", Topic: topics[topic][1], TopicID: *in.TopicID, Status: "open", By: k.user.Name, Created: k.now, Changed: k.now}
	if s := strings.ToLower(in.Severity); s != "" && s != "unknown" {
		r.Severity = s
	}
	if in.Organization != nil && in.Organization.ID != nil && !strings.EqualFold(*in.Organization.ID, k.partner.ID) {
		c := k.partner.Customers.Get(*in.Organization.ID)
		if c == nil {
			return reply{}, deny(entra.CenterCustomerInvalid)
		}
		r.Customer = c.TenantID
	}
	k.keepAccount(func(a *world.Account) { a.Requests = append(slices.Clone(a.Requests), r) })
	return reply{status: http.StatusCreated, body: k.requestView(&r)}, nil
}

// changeRequest adds a note, closes a ticket or opens it again, or changes how urgent
// it is. What says nothing (unknown, none) changes nothing, as the SDK sends it.
func changeRequest(k *call, i int) (reply, *fault) {
	var in requestInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if f := in.checkRequest(); f != nil {
		return reply{}, f
	}
	r := k.partner.Said().Requests[i]
	rest := in
	rest.Severity, rest.Status, rest.Note = "", "", nil
	if f := unchanged(rest, k.requestView(&r)); f != nil {
		return reply{}, f
	}
	if in.Note != nil && in.Note.Text != "" {
		if len(r.Notes) >= maxNotes {
			return reply{}, deny(entra.CenterMalformed, "the service request has too many notes.")
		}
		r.Notes = append(slices.Clone(r.Notes), world.ServiceNote{By: k.user.Name, At: k.now, Text: in.Note.Text})
	}
	if s := strings.ToLower(in.Severity); s != "" && s != "unknown" {
		r.Severity = s
	}
	if s := strings.ToLower(in.Status); s != "" && s != "none" && s != r.Status {
		r.Status = s
		if s == "closed" {
			r.Closed = k.now
		}
	}
	r.Changed = k.now
	k.keepAccount(func(a *world.Account) { a.Requests = slices.Clone(a.Requests); a.Requests[i] = r })
	return ok(k.requestView(&r)), nil
}
