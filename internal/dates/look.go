package dates

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
)

// SchemaID names the form of Report as JSON.
const SchemaID = "partnerguard.dates/1"

// Report is the answer of the dates command.
type Report struct {
	Schema  string            `json:"schema"`
	AsOf    time.Time         `json:"asOf"`
	Partner string            `json:"partner"` // the organisation's name; "" not known
	Changes []partner.Outlook `json:"changes"` // by date, what has none last
	Inputs  []evidence.Input  `json:"inputs"`
	Sample  bool              `json:"sample"`
}

// maxAge is how old evidence may be to say whom a change hits: as for the rules
// that rest on settings and logs.
const maxAge = 30 * 24 * time.Hour

// looker holds what the tellers share.
type looker struct {
	*facts.Facts
	fold  *Fold
	ages  *facts.Ages
	asOf  time.Time
	kind  partner.Kind
	cloud partner.Cloud
}

// found is what a teller says.
type found struct {
	kinds  []evidence.Kind // lists that it rests on
	who    []one           // who is hit
	unit   string          // of what
	hit    string          // "%s" is the count: "%s lose their only second factor"
	none   string          // when nobody is
	unsure string          // why nobody cannot be said though the lists are whole; "" nothing
	settle string          // what settles that; "" is the request of the last of the kinds
	action string
	log    bool   // absence needs 30 days of the log
	open   string // nothing that is exported tells: where to look
}

// one is one of those that are hit. Two of one name are still two.
type one struct{ key, name string }

// add takes one that is hit; a key that is there already is the same one.
func (v *found) add(key, name string) { v.who = append(v.who, one{strings.ToLower(key), name}) }

// names lists whom a change hits, each once, in order.
func (v *found) names() (out []string) {
	slices.SortFunc(v.who, func(a, b one) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.name, b.name)) })
	for _, o := range slices.CompactFunc(v.who, func(a, b one) bool { return a.key == b.key }) {
		out = append(out, o.name)
	}
	slices.Sort(out)
	return out
}

// Look holds every change against what was read. asOf has to be set; fold is nil
// where nobody looked through the log; a cloud of "" is the public one.
func Look(f *facts.Facts, fold *Fold, asOf time.Time, kind partner.Kind, cloud partner.Cloud) []partner.Outlook {
	if fold == nil {
		fold = NewFold()
	}
	l := &looker{Facts: f, fold: fold, ages: f.Ages(), asOf: asOf.UTC(), kind: kind, cloud: cmp.Or(cloud, partner.Public)}
	changes := partner.Changes()
	out := make([]partner.Outlook, len(changes))
	for i := range changes {
		c := &changes[i]
		out[i] = l.outlook(c, tellers[c.ID](l))
	}
	return out
}

// outlook turns what a teller found into an answer.
func (l *looker) outlook(c *partner.Change, v found) partner.Outlook {
	o := partner.Outlook{Change: *c, Standing: c.Standing(l.asOf), DaysLeft: c.DaysLeft(l.asOf), Unit: v.unit, Names: []string{}}
	if v.open != "" {
		o.Answer, o.Text, o.Settle = partner.HitIsUnknown, "nothing that can be exported shows whether it hits here", v.open
		return o
	}
	names := v.names()
	n := len(names)
	if n > 0 {
		o.Names = names[:min(n, partner.MaxNames)]
		o.More = n - len(o.Names)
		o.Text = fmt.Sprintf(agree(v.hit, n), count(n, v.unit))
	}
	for _, k := range v.kinds { // what was found long ago may be gone
		if d, read := l.ages.Of(k); read && !d.Bound().IsZero() && l.asOf.Sub(d.Bound()) > maxAge {
			was := "nobody was hit then"
			if n > 0 {
				was = "it was so then: " + o.Text
			}
			o.Answer, o.Settle = partner.HitIsUnknown, evidence.RequestFor(k)
			o.Text = fmt.Sprintf("the newest record of %s is %d days old; %s", evidence.ListName(k), int(l.asOf.Sub(d.Bound()).Hours()/24), was)
			return o
		}
	}
	if n > 0 {
		o.Answer, o.Count, o.Action = partner.Hit, n, v.action
		return o
	}
	if why, settle := l.lack(&v); why != "" {
		o.Answer, o.Text, o.Settle = partner.HitIsUnknown, why, settle
		return o
	}
	o.Answer, o.Text = partner.Nobody, v.none
	return o
}

// lack says why it cannot be said that nobody is hit, and what settles it.
func (l *looker) lack(v *found) (why, settle string) {
	for _, k := range v.kinds {
		if l.Whole(k) {
			continue
		}
		if cuts := l.Cuts(k); len(cuts) > 0 {
			return cuts[0].Sentence(len(cuts) - 1), cuts[0].Settle()
		}
		return evidence.ListName(k) + " is not in the export", evidence.RequestFor(k)
	}
	if v.log {
		if why := l.shortLog(); why != "" {
			return why, evidence.RequestFor(evidence.SignIn)
		}
	}
	if v.unsure != "" {
		return v.unsure, cmp.Or(v.settle, evidence.RequestFor(last(v.kinds)))
	}
	return "", ""
}

func last(kinds []evidence.Kind) evidence.Kind {
	if len(kinds) == 0 {
		return ""
	}
	return kinds[len(kinds)-1]
}

// shortLog says why the log cannot show that something does not happen; "" when
// it can.
func (l *looker) shortLog() string {
	s := l.SignIns
	switch {
	case s == nil || s.First.IsZero():
		return "no sign-in with a clock is in the export"
	case s.Last.Sub(s.First) < 29*24*time.Hour:
		return fmt.Sprintf("a log of %s cannot show that nobody does it: 30 days are needed", count(int(s.Last.Sub(s.First).Hours()/24)+1, "days"))
	case s.OtherAccounts.Rows > 0:
		return "the log holds more accounts than are kept apart"
	}
	for i := range s.Accounts {
		if s.Accounts[i].NonInteractive.Total() > 0 {
			return ""
		}
	}
	return "the log holds no non-interactive sign-ins"
}

// fromLog lists the accounts of a use.
func (l *looker) fromLog(u use, unsure string) found {
	t := l.fold.of(u)
	v := found{kinds: []evidence.Kind{evidence.SignIn}, unit: "users", log: true}
	for key, a := range t.accounts {
		if !l.off(key, a.name) {
			v.add(key, cmp.Or(a.name, key))
		}
	}
	switch {
	case t.beyond > 0:
		v.unsure = "more accounts do it than are kept apart"
	case t.unsure > 0:
		v.unsure = fmt.Sprintf("%s %s", count(int(t.unsure), "sign-ins"), unsure)
	}
	return v
}

// off reports an account that cannot sign in any more.
func (l *looker) off(id, name string) bool {
	u := l.Directory.Users[l.Directory.FindUser(id, name)]
	return u != nil && u.AccountEnabled.False()
}

// agree chooses "{lose|loses}" by the number of the subject.
func agree(s string, n int) string {
	for {
		before, rest, open := strings.Cut(s, "{")
		words, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			return s
		}
		many, one, _ := strings.Cut(words, "|")
		if n == 1 {
			many = one
		}
		s = before + many + after
	}
}

// count writes "1 user" or "3 users".
func count(n int, units string) string {
	if n == 1 {
		one := strings.TrimSuffix(units, "s")
		if units == "policies" {
			one = "policy"
		}
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, units)
}
