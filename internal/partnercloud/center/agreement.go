package center

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// customerAgreement is the one that customers accept today; the cloud agreement came
// before it.
const (
	customerAgreement = "MicrosoftCustomerAgreement"
	cloudAgreement    = "MicrosoftCloudAgreement"
)

// Ids of the agreements' texts: Microsoft's samples cut theirs, these are ours.
const (
	customerTemplate = "117a77b0-9360-443b-8795-c6dedc750cf9"
	cloudTemplate    = "998b88de-99d5-4f0c-b2d9-2b1e9e1d6a10"
)

func agreementKinds() []map[string]any {
	row := func(id, kind, link string) map[string]any {
		return map[string]any{"templateId": id, "agreementType": kind, "agreementLink": link, "versionRank": 0}
	}
	return []map[string]any{row(customerTemplate, customerAgreement, "https://aka.ms/customeragreement"),
		row(cloudTemplate, cloudAgreement, "https://learn.microsoft.com/partner-center/agreements")}
}

// agreementType reads agreementType; all: the star that clients send.
func (k *call) agreementType(usual string) (string, *fault) {
	switch v := k.query("agreementType"); {
	case v == "":
		return usual, nil
	case v == "*":
		return "", nil
	case strings.EqualFold(v, customerAgreement):
		return customerAgreement, nil
	case strings.EqualFold(v, cloudAgreement):
		return cloudAgreement, nil
	}
	return "", deny(entra.CenterEnum, "agreementType")
}

func listAgreementKinds(k *call) (reply, *fault) {
	kind, f := k.agreementType("")
	if f != nil {
		return reply{}, f
	}
	rows := slices.DeleteFunc(agreementKinds(), func(m map[string]any) bool { return kind != "" && m["agreementType"] != kind })
	return ok(linked(k, rows)), nil
}

// agreementDocument leads to where the text would be: there is none on this machine.
func agreementDocument(k *call) (reply, *fault) {
	id := strings.ToLower(k.params["template"])
	if id != customerTemplate && id != cloudTemplate {
		return reply{}, deny(entra.CenterNotFound)
	}
	country := strings.ToUpper(cmp.Or(k.query("country"), k.partner.Country))
	if _, known := market.FindCountry(country); !known {
		return reply{}, deny(entra.CenterOfferCountry)
	}
	language := cmp.Or(k.query("language"), "en-US")
	if locale(language) != language {
		return reply{}, deny(entra.CenterInvalidInput, "language is none.")
	}
	at := "https://agreements.example/" + id + "/" + language + "/" + country
	return ok(map[string]any{"displayUri": at + "/view", "downloadUri": at + ".pdf", "language": language, "country": country}), nil
}

func agreementView(a *world.Agreement) map[string]any {
	v := map[string]any{"primaryContact": map[string]any{"firstName": a.First, "lastName": a.Last, "email": a.Email, "phoneNumber": a.Phone},
		"templateId": a.Template, "dateAgreed": stamp(a.Agreed), "type": a.Type, "agreementLink": "https://aka.ms/customeragreement"}
	if a.User != "" {
		v["userId"] = a.User
	}
	return v
}

// agreements are those confirmed here, and the one that a customer of the seeded world
// accepted when it came.
func (k *call) agreements() []world.Agreement {
	out := slices.Clone(k.customer.Trade().Agreements)
	if len(out) == 0 && k.customer.Agreed {
		p := invented(k.customer.Name, k.customer.Country, k.customer.Email)
		out = append(out, world.Agreement{Type: customerAgreement, Template: customerTemplate, Agreed: k.customer.Since, First: p.First, Last: p.Last,
			Email: p.Email, Phone: p.Address.Phone})
	}
	return out
}

func listAgreements(k *call) (reply, *fault) {
	kind, f := k.agreementType("")
	if f != nil {
		return reply{}, f
	}
	rows := []map[string]any{}
	for _, a := range k.agreements() {
		if kind == "" || a.Type == kind {
			rows = append(rows, agreementView(&a))
		}
	}
	return ok(list(rows)), nil
}

// createAgreement is the partner's confirmation that the customer accepted: without it
// nothing can be bought.
func createAgreement(k *call) (reply, *fault) {
	var in struct {
		UserID   string       `json:"userId"`
		Contact  *contactView `json:"primaryContact"`
		Template string       `json:"templateId"`
		Agreed   string       `json:"dateAgreed"`
		Type     string       `json:"type"`
		Link     string       `json:"agreementLink"`
		sent
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	at, err := kit.Moment(in.Agreed)
	switch {
	case !strings.EqualFold(in.Type, customerAgreement) || !strings.EqualFold(in.Template, customerTemplate):
		return reply{}, deny(entra.CenterMalformed, "type and templateId must be those of the Microsoft Customer Agreement: GET /v1/agreements.")
	case in.Contact == nil || in.Contact.First == "" || in.Contact.Last == "" || !strings.Contains(in.Contact.Email, "@"):
		return reply{}, deny(entra.CenterMalformed, "primaryContact needs firstName, lastName and email.")
	case len(in.Contact.First)+len(in.Contact.Last)+len(in.Contact.Email)+len(in.Contact.Phone) > 4*maxName:
		return reply{}, deny(entra.CenterMalformed, "primaryContact is too long.")
	case err != nil || at.After(k.now.Add(24*time.Hour)):
		return reply{}, deny(entra.CenterMalformed, "dateAgreed must be a date that is not in the future.")
	}
	for _, a := range k.agreements() {
		if a.Type == customerAgreement && a.First == in.Contact.First && a.Last == in.Contact.Last && a.Email == in.Contact.Email && a.Agreed.Equal(at) {
			return reply{}, deny(entra.CenterAgreementExists)
		}
	}
	if in.UserID != "" && k.partner.Users.Get(in.UserID) == nil {
		return reply{}, deny(entra.CenterMalformed, "userId is no user of the partner.")
	}
	a := world.Agreement{Type: customerAgreement, Template: customerTemplate, Agreed: at, User: cmp.Or(in.UserID, k.changedBy()),
		First: in.Contact.First, Last: in.Contact.Last, Email: in.Contact.Email, Phone: in.Contact.Phone}
	if f := unchanged(map[string]string{"agreementLink": in.Link}, agreementView(&a)); f != nil {
		return reply{}, f
	}
	before := k.agreements()
	k.trade(func(t *world.Commerce) { t.Agreements = append(before, a) })
	k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) { c.Agreed = true })
	k.customer = k.partner.Customers.Get(k.customer.TenantID)
	k.record("agreement", "create_agreement", nil, agreementView(&a))
	return reply{status: http.StatusCreated, body: agreementView(&a)}, nil
}

// directSigned: customers accept by their partner's confirmation here, never at
// Microsoft.
func directSigned(*call) (reply, *fault) { return ok(map[string]bool{"isSigned": false}), nil }
