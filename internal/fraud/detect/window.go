package detect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
)

// Window is a declared deployment: what it covers is expected, and nothing else.
type Window struct {
	Customer      string   // tenant, lower case; "" any
	Subscriptions []string // lower case; none: all of the customer's
	From, To      time.Time
	Regions       []string // lower case without spaces; none: all
	Types         []string // resource types, lower case; none: all
	Sizes         []string // parts of the names of sizes, lower case; none: all
	Meters        []string // parts of the names of meters, lower case; none: all
	Callers       []string // lower case; none: all
	Note          string
	Line          int // where it was declared
}

// name puts the tenant in the place of a customer's name or domain, and tells of windows that
// name a customer of whom nothing was read, or several: they cover nothing.
func (d *Detector) name() (lost []string) {
	for i := range d.o.Windows {
		w := &d.o.Windows[i]
		if _, known := d.names[w.Customer]; known || w.Customer == "" || d.parts[w.Customer] != nil {
			continue
		}
		var of []string
		for tenant, c := range d.names {
			if strings.EqualFold(c.Domain, w.Customer) || strings.EqualFold(c.Name, w.Customer) {
				of = append(of, tenant)
			}
		}
		if len(of) == 1 {
			w.Customer = of[0]
			continue
		}
		lost = append(lost, fmt.Sprintf("The deployment of line %d names the customer %s, of whom nothing was read: it covers nothing.", w.Line,
			print.Clean(w.Customer, print.MaxName)))
	}
	return lost
}

// of reports a window for a subscription of a customer.
func (w *Window) of(tenant, sub string) bool {
	return (w.Customer == "" || w.Customer == tenant) && (len(w.Subscriptions) == 0 || slices.Contains(w.Subscriptions, sub))
}

// wide reports that one of few stands in a word, or that nothing was asked for.
func wide(few []string, s string) bool {
	return len(few) == 0 || slices.ContainsFunc(few, func(f string) bool { return strings.Contains(s, f) })
}

// covers reports an act that was declared.
func (o *Options) covers(p *Part, a *act) bool {
	for i := range o.Windows {
		w := &o.Windows[i]
		if !w.of(p.Tenant, p.texts[a.sub]) || a.at < w.From.Unix() || a.at >= w.To.Unix() {
			continue
		}
		if len(w.Callers) > 0 && !slices.Contains(w.Callers, p.texts[a.caller]) && !slices.Contains(w.Callers, p.texts[a.app]) {
			continue
		}
		if len(w.Regions) > 0 && !slices.Contains(w.Regions, p.texts[a.region]) {
			continue
		}
		if wide(w.Types, p.texts[a.resource]) && wide(w.Sizes, p.texts[a.size]) {
			return true
		}
	}
	return false
}

// cover takes from a series what was declared: while it is declared what is over the usual, and
// afterwards what came to be meanwhile, because what was deployed stays.
func (p *Part) cover(s *sub, x *series, o *Options, row []float32, v *views) {
	for i := range o.Windows {
		w := &o.Windows[i]
		if !w.of(p.Tenant, p.texts[s.id]) {
			continue
		}
		if len(w.Regions) > 0 && !slices.Contains(w.Regions, p.texts[x.region]) {
			continue
		}
		size, meter := p.texts[x.size], strings.ToLower(p.texts[x.meter])
		if !wide(w.Sizes, size) && !wide(w.Sizes, "standard_"+size) || !wide(w.Meters, meter) || len(w.Types) > 0 && !typed(w.Types, x.fam) {
			continue
		}
		from := int((w.From.Unix())/v.width() - int64(v.start))
		to := int((w.To.Unix()+v.width()-1)/v.width() - int64(v.start))
		if from >= len(row) || to <= 0 {
			continue
		}
		uncover(row, max(from, 0), min(to, len(row)), v.perDay())
	}
}

// uncover lowers a series by what came to be in buckets [from, to).
func uncover(row []float32, from, to, perDay int) {
	usual := make([]float64, 0, bandDays*perDay)
	for k := max(0, from-bandDays*perDay); k < from; k++ {
		usual = append(usual, float64(row[k]))
	}
	before := float32(0)
	if len(usual) > 0 {
		before = float32(middle(usual))
	}
	most := float32(0)
	for k := from; k < to; k++ {
		most = max(most, row[k])
		row[k] = min(row[k], before)
	}
	stays := max(0, 1.2*most-before)
	for k := to; k < len(row); k++ {
		row[k] = max(min(row[k], before), row[k]-stays)
	}
}

// typed says roughly whether use of a family is of one of some resource types.
func typed(types []string, f family) bool {
	words := map[family][]string{famMachine: {"compute", "virtualmachine", "batch", "containerservice", "machinelearning"},
		famServices: {"container", "batch", "machinelearning", "databricks", "hdinsight"}, famAI: {"cognitive", "openai", "machinelearning"},
		famStorage: {"storage", "disk"}, famNetwork: {"network", "cdn", "storage"}}
	words[famGPU] = append(words[famMachine], words[famServices]...)
	return slices.ContainsFunc(types, func(t string) bool {
		return slices.ContainsFunc(words[f], func(w string) bool { return strings.Contains(t, w) })
	})
}
