package segment

import (
	"strings"
	"time"
	"unicode/utf8"

	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

// Limits of a segment.
const (
	MaxBody    = 64 << 20 // bytes of a page
	MaxEntries = 1 << 17  // pages and ends of runs
	MaxBytes   = 4 << 30  // of an object
	maxText    = 16 << 10 // bytes of a text beside a page
	maxLine    = 4 * maxText
)

// Page is one answer as it came, with what it answers.
type Page struct {
	Tenant    string    `json:"tenant"`              // id of the tenant that was asked
	Resource  string    `json:"resource"`            // name of what was read
	Run       string    `json:"run"`                 // the reading that it is part of
	Number    int       `json:"number"`              // within the run, from 0
	Request   string    `json:"request"`             // method, path, query; never a host or a token
	Of        string    `json:"of,omitempty"`        // id of the item, in a loop
	RequestID string    `json:"requestId,omitempty"` // Microsoft's
	Status    int       `json:"status"`              // HTTP's
	From      time.Time `json:"from,omitzero"`       // the slice that was asked for: From <= time < To
	To        time.Time `json:"to,omitzero"`
	At        time.Time `json:"at"` // when it was answered
	Body      []byte    `json:"-"`
}

// Run is one reading of one list, told when it ends.
type Run struct {
	ID       string    `json:"id"`
	Tenant   string    `json:"tenant"`
	Resource string    `json:"resource"`
	Way      string    `json:"way"`            // whole, delta, sliced
	From     time.Time `json:"from,omitzero"`  // sliced: what it covers
	To       time.Time `json:"to,omitzero"`    //
	Began    time.Time `json:"began,omitzero"` //
	Ended    time.Time `json:"ended"`
	Whole    bool      `json:"whole"`             // read to its end
	Why      string    `json:"why,omitempty"`     // where it is not: a clause
	Refused  string    `json:"refused,omitempty"` // the reason's word, where it was refused
	Pages    int       `json:"pages"`
	Base     string    `json:"base,omitempty"` // delta: the run it goes on from
}

// The ways of a run.
const (
	Whole  = "whole"
	Delta  = "delta"
	Sliced = "sliced"
)

var (
	tenantForm   = pattern.Later(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)
	resourceForm = pattern.Later(`^[a-z][A-Za-z0-9]{0,63}(\.[A-Za-z0-9]{1,63}){0,4}$`)
	nameForm     = pattern.Later(`^[0-9a-z][0-9A-Za-z.-]{0,63}$`)
	// tokenForm is a JSON Web Token, or what a signed address carries.
	tokenForm = pattern.Later(`eyJ[A-Za-z0-9_-]{8,}\.eyJ|(?i:[?&](?:access_token|client_secret|refresh_token|sig)=)`)
)

// IsTenant says that a text may name a tenant's folder.
func IsTenant(s string) bool { return tenantForm.MatchString(s) }

// IsName says that a text may name a run or a segment.
func IsName(s string) bool { return nameForm.MatchString(s) }

// IsResource says that a text may name a resource.
func IsResource(s string) bool { return resourceForm.MatchString(s) }

// Check refuses a page that no segment takes.
func (p *Page) Check() error {
	if err := named(p.Tenant, p.Resource, p.Run); err != nil {
		return err
	}
	switch {
	case p.Number < 0:
		return problem.New(problem.BadInput, "a page of %s has the number %d", p.Resource, p.Number)
	case p.Status < 100 || p.Status > 599:
		return problem.New(problem.BadInput, "a page of %s has the status %d, which HTTP does not know", p.Resource, p.Status)
	case len(p.Body) > MaxBody:
		return problem.New(problem.Limit, "a page of %s has %d bytes, more than the %d that a segment takes", p.Resource, len(p.Body), MaxBody)
	case p.At.IsZero():
		return problem.New(problem.BadInput, "a page of %s does not say when it was answered", p.Resource)
	}
	if err := span(p.Resource, p.From, p.To, p.At); err != nil {
		return err
	}
	return texts(p.Resource, "request", p.Request, "item", p.Of, "request id", p.RequestID)
}

// Check refuses a run that no segment takes.
func (r *Run) Check() error {
	if err := named(r.Tenant, r.Resource, r.ID); err != nil {
		return err
	}
	switch {
	case r.Way != Whole && r.Way != Delta && r.Way != Sliced:
		return problem.New(problem.BadInput, "a run of %s goes the way %.40q, which is none", r.Resource, r.Way)
	case r.Pages < 0:
		return problem.New(problem.BadInput, "a run of %s has %d pages", r.Resource, r.Pages)
	case r.Ended.IsZero():
		return problem.New(problem.BadInput, "a run of %s does not say when it ended", r.Resource)
	case r.Base != "" && !IsName(r.Base):
		return problem.New(problem.BadInput, "a run of %s goes on from %.40q, which is no run's name", r.Resource, r.Base)
	}
	if err := span(r.Resource, r.From, r.To, r.Began, r.Ended); err != nil {
		return err
	}
	return texts(r.Resource, "reason", r.Why, "reason", r.Refused)
}

func named(tenant, resource, run string) error {
	switch {
	case !IsTenant(tenant):
		return problem.New(problem.BadInput, "%.80q is no tenant's id", tenant)
	case !IsResource(resource):
		return problem.New(problem.BadInput, "%.80q is no resource's name", resource)
	case !IsName(run):
		return problem.New(problem.BadInput, "%.80q is no run's name", run)
	}
	return nil
}

// span refuses times that RFC 3339 cannot write.
func span(resource string, times ...time.Time) error {
	for _, t := range times {
		if y := t.UTC().Year(); !t.IsZero() && (y < 1900 || y > 9999) {
			return problem.New(problem.BadInput, "a page of %s is of the year %d", resource, y)
		}
	}
	return nil
}

// texts refuses what is too long, no text, or carries a token. pairs are names
// and texts.
func texts(resource string, pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		name, s := pairs[i], pairs[i+1]
		switch {
		case len(s) > maxText:
			return problem.New(problem.Limit, "the %s of a page of %s has %d bytes, more than %d", name, resource, len(s), maxText)
		case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return problem.New(problem.BadInput, "the %s of a page of %s is no text", name, resource)
		case tokenForm.MatchString(s):
			return problem.New(problem.BadInput, "the %s of a page of %s carries what looks like a token", name, resource).
				WithHint("the archive keeps no credential; this is a fault of whoever asked")
		}
	}
	return nil
}
