package alert

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/signin/texts"
)

// PartName is the part of a tenant's snapshot that alerts and deadlines are made of.
const PartName = "alerts"

// Part is what a judgement of the partner knew of that alerts want: it is no evidence.
type Part struct {
	Microsoft []Waiting  `json:"microsoft"` // Microsoft's alerts that nobody answered
	Deadlines []Deadline `json:"deadlines"` // of relationships with customers, and of Microsoft's dated changes
}

// Waiting is an alert of Microsoft that waits for an answer.
type Waiting struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Customer string    `json:"customer,omitempty"` // tenant id; empty: no customer, or one that is not known
	Of       string    `json:"of,omitempty"`       // the customer's name
	Detected time.Time `json:"detected,omitzero"`  // zero: its clock cannot be read
	Severity string    `json:"severity,omitempty"`
}

// Titled is what the alert is about, with the customer that it is of.
func (w *Waiting) Titled() string {
	if w.Of == "" {
		return w.Name
	}
	return w.Name + " (" + w.Of + ")"
}

// AnswerWithin is how long an alert of Microsoft may wait (contracts.md section 1.5).
const AnswerWithin = 24 * time.Hour

// maxPart bounds each list of a Part.
const maxPart = 2000

// Build makes the part of what was read. changes are Microsoft's dated changes, held
// against it.
func Build(f *facts.Facts, changes []partner.Outlook, asOf time.Time) Part {
	p := Part{Microsoft: []Waiting{}, Deadlines: []Deadline{}}
	for key, a := range f.Alerts {
		answered := a.Answered.Set && !a.Answered.After(asOf)
		if a.Test || answered || a.Status != "active" && a.Status != "" {
			continue
		}
		w := Waiting{ID: cmp.Or(a.ID, key), Name: cmp.Or(a.Name, a.Type, a.ID), Severity: a.Severity}
		w.Customer, w.Of = customer(f, a.Customer)
		if a.Detected.Set {
			w.Detected = a.Detected.Time.UTC()
		}
		p.Microsoft = append(p.Microsoft, w)
	}
	slices.SortFunc(p.Microsoft, func(a, b Waiting) int { return cmp.Or(a.Detected.Compare(b.Detected), cmp.Compare(a.ID, b.ID)) })
	for key, r := range f.Relationships {
		if !strings.EqualFold(string(r.Status), "active") || !r.EndDateTime.Set || !r.EndDateTime.After(asOf) {
			continue
		}
		d := Deadline{ID: "gdap/" + cmp.Or(r.ID, key), Kind: DueDelegation, At: r.EndDateTime.Time.UTC(), Path: "/customers", Sure: true,
			Detail: "The delegated administration of this customer ends, and with it what is done there."}
		name := r.DisplayName
		if r.Customer != nil {
			d.Tenant, name = strings.ToLower(r.Customer.TenantID), cmp.Or(r.Customer.DisplayName, name)
		}
		d.Title = "GDAP with " + cmp.Or(name, "a customer") + " ends"
		if ext := strings.ToUpper(string(r.AutoExtend)); ext != "" && ext != "PT0S" && ext != "P0D" {
			roles := r.AccessDetails.Roles()
			switch { // contracts-2026-11, section 3.3: with Global Administrator none extends itself
			case slices.Contains(roles, entra.RoleGlobalAdministrator):
				d.Detail += " It does not extend itself, though that is set: it carries Global Administrator."
			case len(roles) == 0 || r.RolesLost:
				d.Sure = false
				d.Detail += " It extends itself unless it carries Global Administrator, and not all of its roles could be read."
			default:
				continue // it extends itself
			}
		}
		p.Deadlines = append(p.Deadlines, d)
	}
	for i := range changes {
		if d, is := changed(&changes[i]); is {
			p.Deadlines = append(p.Deadlines, d)
		}
	}
	slices.SortFunc(p.Deadlines, func(a, b Deadline) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	p.Microsoft, p.Deadlines = p.Microsoft[:min(len(p.Microsoft), maxPart)], p.Deadlines[:min(len(p.Deadlines), maxPart)]
	return p
}

// customer is the tenant id and the name of a customer, which some answers of Microsoft
// name by one of the two alone. A name that two of them bear names none: an alert must
// not reach who works for another.
func customer(f *facts.Facts, said string) (id, name string) {
	found := 0
	for key, c := range f.Customers {
		tenant, its := strings.ToLower(cmp.Or(c.CompanyProfile.TenantID, c.ID, key)), c.CompanyProfile.CompanyName
		if strings.EqualFold(tenant, said) {
			return tenant, its
		}
		if said != "" && strings.EqualFold(its, said) {
			id, name = tenant, its
			found++
		}
	}
	switch {
	case found == 1:
		return id, name
	case found > 1:
		return "", said
	}
	if _, _, is := texts.GUID(said); is {
		return strings.ToLower(said), ""
	}
	return "", said
}

// changed is a dated change of Microsoft that hits here, or may: nobody hit is no
// deadline, and neither is what has no date.
func changed(o *partner.Outlook) (d Deadline, is bool) {
	if o.Answer == partner.Nobody || o.Date.IsZero() || o.Standing == "past" && o.Answer != partner.Hit {
		return d, false
	}
	d = Deadline{ID: "change/" + o.ID, Kind: DueChange, At: o.Date.Time.UTC(), Title: print.Sentence(o.What), Detail: o.Text, Path: "/status", Whole: true,
		Sure: o.Answer == partner.Hit && o.Precision == partner.ByDay && o.Sure == partner.SureHigh, Unit: o.Unit}
	if o.Answer == partner.Hit {
		d.Count = o.Count
		if len(o.Names) > 0 {
			d.Detail += ": " + strings.Join(o.Names[:min(len(o.Names), 5)], ", ")
		}
		if o.Action != "" {
			d.Detail += ". " + print.Sentence(o.Action)
		}
	} else {
		d.Detail = "Whether it hits here is not known: " + o.Text
	}
	if o.Precision != partner.ByDay {
		d.Detail += " (" + o.When() + ")"
	}
	return d, true
}

// Due is when an alert of Microsoft has to be answered; zero where its clock is not
// known.
func (w *Waiting) Due() time.Time {
	if w.Detected.IsZero() {
		return time.Time{}
	}
	return w.Detected.Add(AnswerWithin)
}
