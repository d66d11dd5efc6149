//go:build !judge

package inquiry

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/fraud"
	"partnerguard/internal/print"
	"partnerguard/internal/signin"
)

// rows makes the rows: acts that belong together are one.
func (b *build) rows() {
	wanted := b.wanted()
	open := map[string]int{}
	for i := range b.acts {
		a := &b.acts[i]
		w, ok := wanted[i]
		if !ok || !a.at.IsZero() && a.at.Before(b.t.From) {
			continue
		}
		key := strings.Join([]string{string(a.source), a.actor, a.what, regionKey(a.region), a.sku, a.ip, a.country, strconv.FormatBool(a.failed), string(w)}, "|")
		n, had := open[key]
		if had && !a.at.IsZero() && a.at.Sub(b.t.Rows[n].until()) <= apart {
			b.join(&b.t.Rows[n], a)
			b.rowOf[i] = b.t.Rows[n].ID
			continue
		}
		open[key] = len(b.t.Rows)
		r := b.row(a, w)
		r.ID = "r" + strconv.Itoa(len(b.t.Rows)+1)
		b.rowOf[i] = r.ID
		b.t.Rows = append(b.t.Rows, r)
	}
	b.marks()
	b.late()
	b.bound()
	slices.SortStableFunc(b.t.Rows, func(a, b Row) int {
		if a.At.IsZero() != b.At.IsZero() {
			return map[bool]int{true: 1, false: -1}[a.At.IsZero()]
		}
		return a.At.Compare(b.At)
	})
}

func (r *Row) until() time.Time {
	if r.Until.IsZero() {
		return r.At
	}
	return r.Until
}

// wanted are the acts that are shown, and how much they are looked at.
func (b *build) wanted() map[int]Weight {
	out := map[int]Weight{}
	for i := range b.acts {
		a := &b.acts[i]
		near := a.at.IsZero() || a.at.After(b.onset.Add(-7*24*time.Hour))
		switch {
		case b.suspect[i]:
			out[i] = Suspect
		case a.kind == Made, a.source == Rights, a.key == "quota":
			out[i] = Usual
		case a.source == Identity && a.key != "" && near, a.source == Risk && near:
			out[i] = Usual
		case b.looks(a.actor) && near:
			out[i] = Usual
		}
	}
	for i := range b.said {
		if b.said[i].side != sideFor {
			continue
		}
		for _, n := range b.said[i].acts {
			out[n] = Suspect
		}
	}
	if b.causeAct >= 0 {
		out[b.causeAct] = Cause
	}
	return out
}

// row makes a row of one act.
func (b *build) row(a *act, w Weight) Row {
	r := Row{At: a.at, Source: a.source, Weight: w, Who: b.f.called(a.actor), Actor: a.actor, What: a.what, Act: a.raw, IP: a.ip, Country: a.country,
		Resource: a.path, Type: a.typ, Region: a.region, SKU: a.sku, Count: 1, Failed: a.failed, Places: []Place{a.place}}
	if a.source != Resources && a.source != Rights {
		r.Type = ""
		r.Resource = cmp.Or(a.toName, a.path)
	}
	switch {
	case a.source == SignIns && a.mfa == signin.NotChallenged:
		r.Why = append(r.Why, "without MFA")
	case a.source == SignIns && a.mfa.Proven():
		r.Why = append(r.Why, "with MFA")
	}
	if a.risk != "" && a.risk != "none" && a.risk != "hidden" && a.source == SignIns {
		r.Why = append(r.Why, a.risk+" risk")
	}
	if a.failed {
		r.What += ", which failed"
	}
	if a.started {
		r.Why = append(r.Why, "how it ended is not said")
	}
	return r
}

// join adds an act to a row of its kind.
func (b *build) join(r *Row, a *act) {
	r.Count++
	if !a.at.IsZero() && a.at.After(r.until()) {
		r.Until = a.at
	}
	if len(r.Places) < MaxPlaces {
		r.Places = append(r.Places, a.place)
	} else {
		r.More++
	}
	if a.path != "" && !strings.EqualFold(a.path, r.Resource) { // what they have in common
		common, group := "/subscriptions/"+subscriptionOf(a.path), groupOf(a.path)
		if group != "" && group == groupOf(r.Resource) {
			common += "/resourceGroups/" + group
		}
		r.Resource = common
	}
}

// Who did what is no person's.
const (
	microsoft = "Microsoft"
	ourselves = "Partnerguard"
)

// marks adds the alert, its history, and what was done here.
func (b *build) marks() {
	al := &b.t.Alert
	add := func(at time.Time, src Source, who, what string, places ...Place) {
		b.t.Rows = append(b.t.Rows, Row{ID: "m" + strconv.Itoa(len(b.t.Rows)+1), At: at.UTC(), Source: src, Weight: Mark, Who: print.Clean(who, print.MaxName),
			What: print.Clean(what, 300), Count: 1, Places: places})
	}
	if !al.First.IsZero() {
		add(al.First, Alerts, microsoft, "saw it for the first time")
	}
	if !al.Detected.IsZero() {
		add(al.Detected, Alerts, microsoft, "raised the alert: "+print.First(al.Name, al.Type, "no name"))
	}
	if !b.t.Known.IsZero() {
		add(b.t.Known, Alerts, ourselves, "read the alert")
	}
	if !al.Last.IsZero() && al.Last.After(al.Detected) {
		add(al.Last, Alerts, microsoft, "saw it for the last time")
	}
	for i, c := range al.Log {
		if i == 100 {
			break
		}
		add(c.At, Alerts, cmp.Or(c.By, "somebody"), fmt.Sprintf("set the alert from %s to %s", cmp.Or(c.From, "nothing"), cmp.Or(c.To, "nothing")))
	}
	if !al.ResolvedAt.IsZero() {
		add(al.ResolvedAt, Alerts, cmp.Or(al.ResolvedBy, "somebody"), "answered it: "+cmp.Or(string(al.Reason), "no reason"))
	}
	for i, d := range b.f.o.Done {
		if i == 500 {
			break
		}
		what := d.What
		if d.Outcome != "" {
			what += ": " + d.Outcome
		}
		add(d.At, Ours, d.By, what)
		b.t.Rows[len(b.t.Rows)-1].Private = d.Private
	}
}

// late adds what it cost, where that is known: at the day that it is of, marked as known late.
func (b *build) late() {
	for i, r := range Rates(b.t.Costs) {
		if r.To.Before(b.onset.Add(-7 * 24 * time.Hour)) {
			continue
		}
		c := b.costOf(r.To)
		row := Row{ID: "c" + strconv.Itoa(i+1), At: r.To, Source: Costs, Weight: Usual, Who: "Azure", Count: 1, Late: true,
			What: "cost " + money(r.Daily, c.Currency) + " a day", Places: []Place{c.Place}}
		if !c.Known.IsZero() {
			row.Why = []string{"known at " + print.When(c.Known)}
		}
		if r.To.After(b.onset) {
			row.Weight = Suspect
		}
		b.t.Rows = append(b.t.Rows, row)
	}
}

func (b *build) costOf(at time.Time) *Cost {
	for i := range b.t.Costs {
		if b.t.Costs[i].At.Equal(at) {
			return &b.t.Costs[i]
		}
	}
	return &Cost{}
}

// bound drops what is usual, the oldest first, where there are too many rows.
func (b *build) bound() {
	for _, w := range []Weight{Usual, Suspect} {
		over := len(b.t.Rows) - MaxRows
		if over <= 0 {
			return
		}
		b.t.Rows = slices.DeleteFunc(b.t.Rows, func(r Row) bool {
			if r.Weight != w || over == 0 {
				return false
			}
			over--
			b.t.Dropped += r.Count
			return true
		})
	}
}

// things lists what was made or given in the days before, and after.
func (b *build) things() {
	seen := map[string]int{}
	for i := range b.acts {
		a := &b.acts[i]
		deleted := strings.HasSuffix(a.op, "/delete")
		if a.kind == "" && !deleted || a.failed || !a.at.IsZero() && a.at.Before(b.onset.Add(-7*24*time.Hour)) {
			continue
		}
		x := Thing{Kind: a.kind, ID: cmp.Or(a.path, a.to), Name: cmp.Or(a.toName, lastName(a.path)), Type: a.typ, Region: a.region, SKU: a.sku, Role: a.role,
			For: a.to, Scope: a.scope, At: a.at, By: a.actor, Foreign: a.foreignAct, Suspect: b.suspect[i] || b.isSaid(i)}
		if a.source == Identity {
			x.ID, x.Type = a.to, ""
		}
		key := string(x.Kind) + "|" + strings.ToLower(x.ID)
		if x.Kind == Assignment {
			x.Name = x.Role
		}
		if deleted {
			for _, k := range []ThingKind{Made, Assignment} {
				if n, ok := seen[string(k)+"|"+strings.ToLower(a.path)]; ok {
					b.t.Things[n].Gone = true
				}
			}
			continue
		}
		if n, ok := seen[key]; ok && x.Kind == Made {
			old := &b.t.Things[n]
			old.Region, old.SKU, old.Suspect = cmp.Or(old.Region, x.Region), cmp.Or(old.SKU, x.SKU), old.Suspect || x.Suspect
			continue
		}
		if len(b.t.Things) == MaxThings {
			b.t.Dropped++
			continue
		}
		seen[key] = len(b.t.Things)
		b.t.Things = append(b.t.Things, x)
	}
}

// isSaid says that an act speaks for fraud.
func (b *build) isSaid(i int) bool {
	return slices.ContainsFunc(b.said, func(s said) bool { return s.side == sideFor && slices.Contains(s.acts, i) })
}

// people lists who acted: those who made it, and whom the rows name.
func (b *build) people() {
	shown := map[string]bool{}
	for i := range b.t.Rows {
		shown[b.t.Rows[i].Actor] = true
	}
	for i := range b.t.Things {
		shown[b.t.Things[i].For] = true
	}
	delete(shown, "")
	ips, lands := map[string]map[string]bool{}, map[string]map[string]bool{}
	for i := range b.acts {
		a := &b.acts[i]
		n := b.f.names[a.actor]
		if n == nil || !shown[a.actor] {
			continue
		}
		n.Acts++
		if !a.at.IsZero() && (n.First.IsZero() || a.at.Before(n.First)) {
			n.First = a.at
		}
		if a.at.After(n.Last) {
			n.Last = a.at
		}
		if a.at.After(b.onset.Add(-lookBack)) {
			gather(ips, a.actor, a.ip)
			gather(lands, a.actor, a.country)
		}
	}
	var out []Actor
	for _, key := range slices.Sorted(maps.Keys(shown)) {
		n := b.f.names[key]
		if n == nil {
			n = &Actor{Key: key, Object: key}
		}
		n.Days, n.Suspect = len(b.before.days[key]), b.actors[key] || b.twice(key)
		n.IPs, n.Countries = slices.Sorted(maps.Keys(ips[key])), slices.Sorted(maps.Keys(lands[key]))
		out = append(out, *n)
	}
	slices.SortStableFunc(out, func(a, b Actor) int {
		if a.Suspect != b.Suspect {
			return map[bool]int{true: -1, false: 1}[a.Suspect]
		}
		return cmp.Or(b.Acts-a.Acts, strings.Compare(a.Key, b.Key))
	})
	b.t.Actors = append(b.t.Actors, out[:min(len(out), MaxActors)]...)
}

func gather(m map[string]map[string]bool, k, v string) {
	if v == "" || len(m[k]) >= 50 {
		return
	}
	if m[k] == nil {
		m[k] = map[string]bool{}
	}
	m[k][v] = true
}

// twice says that somebody who gave those who made it a right or a credential has a sign of
// their own against them: giving alone is what administrators do.
func (b *build) twice(key string) bool {
	if !b.givers[key] {
		return false
	}
	for i := range b.said {
		if b.said[i].side != sideFor || !slices.Contains([]string{"newCountry", "riskySignIn", "riskyUser", "riskDetected", "methodChanged"}, b.said[i].Key) {
			continue
		}
		for _, k := range b.said[i].acts {
			if a := &b.acts[k]; a.actor == key || a.to == key {
				b.why(key, "it gave what was misused, and there are signs against itself")
				return true
			}
		}
	}
	return false
}

// reasons gives reasons the ids of their rows, and sorts them by side.
func (b *build) reasons() {
	for i := range b.said {
		s := &b.said[i]
		r := s.Reason
		for _, n := range s.acts {
			if id := b.rowOf[n]; id != "" && !slices.Contains(r.Rows, id) && len(r.Rows) < 20 {
				r.Rows = append(r.Rows, id)
			}
		}
		to := []*[]Reason{&b.t.For, &b.t.Against, &b.t.Unknown}[s.side]
		if j := slices.IndexFunc(*to, func(x Reason) bool { return x.Text == r.Text }); j >= 0 {
			continue
		}
		if len(*to) < 60 {
			*to = append(*to, r)
		}
	}
	for _, list := range [][]Reason{b.t.For, b.t.Against} {
		slices.SortStableFunc(list, func(a, b Reason) int {
			if a.Strong != b.Strong {
				return map[bool]int{true: -1, false: 1}[a.Strong]
			}
			return 0
		})
	}
}

// says is the aid in one sentence. It decides nothing.
func (t *Timeline) says() string {
	strong := 0
	for i := range t.For {
		if t.For[i].Strong {
			strong++
		}
	}
	s := fmt.Sprintf("%s for fraud (%d of weight), %s for a legitimate deployment, %s", speak(len(t.For)), strong, speak(len(t.Against)),
		print.Plural(int64(len(t.Unknown)), "things")+" not known")
	if t.Alert.Status == fraud.Resolved {
		return s + "; it was answered: " + cmp.Or(string(t.Alert.Reason), "no reason") + "."
	}
	return s + ". A person decides."
}

func speak(n int) string {
	if n == 1 {
		return "1 thing speaks"
	}
	return print.Number(int64(n)) + " things speak"
}
