package doctor

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
)

// Options say for whom and as of when.
type Options struct {
	AsOf  time.Time // required
	Kind  partner.Kind
	Cloud partner.Cloud
	// Licence is the Entra ID edition of the tenant; "" is not known, and then
	// nothing is left out.
	Licence evidence.Licence
}

func (o *Options) fill() {
	if o.Kind == "" {
		o.Kind = partner.DirectBill
	}
	if o.Cloud == "" {
		o.Cloud = partner.Public
	}
	o.AsOf = o.AsOf.UTC()
}

// ruling is a rule of the book and how it stands.
type ruling struct {
	partner.Rule
	standing partner.Standing
}

// binding are the rules that say something of this partner on the date, the
// mandatory first, else in the book's order.
func (o *Options) rules() (out []ruling) {
	for _, r := range partner.Book() {
		standing, _ := r.On(o.AsOf, o.Kind, o.Cloud)
		if standing != partner.NotYet && standing != partner.Exempt {
			out = append(out, ruling{r, standing})
		}
	}
	slices.SortStableFunc(out, func(a, b ruling) int { return rank(&a) - rank(&b) })
	return out
}

func rank(r *ruling) int {
	if r.standing.Binding() {
		return 0
	}
	return 1
}

// out says why a request cannot be made by this partner; "" when it can.
func (o *Options) out(r *evidence.Request) string {
	switch {
	case r.Not21Vianet && o.Cloud == partner.China:
		return "it is not there in the cloud that 21Vianet runs"
	case o.Licence != "" && !o.Licence.Covers(r.Licence):
		return "it needs Entra ID " + strings.ToUpper(string(r.Licence))
	}
	return ""
}

// hosts are the addresses of the services of a cloud.
func hosts(c partner.Cloud) (graph, center string, err error) {
	known, _ := partner.ParseCloud(string(c))
	m, ok := entra.FindCloud(string(known))
	if !ok || m.Closed {
		return "", "", problem.New(problem.Usage, "the cloud %s is closed: nothing can be exported from it any more", c).
			WithHint("what was exported earlier can still be judged: partnerguard assess --cloud %s", c)
	}
	return m.Graph, m.PartnerCenter, nil
}

// address is where a request goes.
func address(r *evidence.Request, path string, graph, center string) string {
	switch r.Service {
	case evidence.Graph:
		return graph + "/" + r.Version + path
	case evidence.PartnerCenter:
		return center + path
	}
	return path
}
