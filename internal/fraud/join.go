package fraud

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Lag is how long an older copy of an alert may come after a newer one: the interfaces are
// answered by many machines. What still is said after that is so.
const Lag = 15 * time.Minute

// NewID is the id that an alert gets here when it is met first: the same wherever it is made
// of the same first meeting. A keeper of alerts keeps it when the other interface tells more.
func NewID(a *Alert) string {
	seed := "graph\x00" + strings.ToLower(a.GraphID)
	if a.GraphID == "" {
		seed = "event\x00" + strings.ToLower(a.EventID)
	}
	sum := sha256.Sum256([]byte(seed))
	return "fa-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:12])
}

// Join brings alerts of both interfaces together: copies of one become one, and what may be
// one, but is not sure to be, stays two that are linked. Where there is an id already it stays.
// The order of the list does not matter; the result is ordered by time and id.
func Join(list []Alert) []Alert {
	byGraph, byEvent := map[string]int{}, map[string]int{}
	out := make([]Alert, 0, len(list))
	for _, a := range list {
		n, has := -1, false
		if a.GraphID != "" {
			n, has = find(byGraph, a.GraphID)
		}
		if !has && a.EventID != "" {
			n, has = find(byEvent, a.EventID)
		}
		if has {
			a = Newer(out[n], a)
			out[n] = a
		} else {
			n = len(out)
			out = append(out, a)
		}
		if a.GraphID != "" {
			byGraph[strings.ToLower(a.GraphID)] = n
		}
		if a.EventID != "" {
			byEvent[strings.ToLower(a.EventID)] = n
		}
	}
	out = pair(out)
	for i := range out {
		if out[i].ID == "" {
			out[i].ID = NewID(&out[i])
		}
	}
	slices.SortStableFunc(out, func(a, b Alert) int { return cmp.Or(a.Detected.Compare(b.Detected), cmp.Compare(a.ID, b.ID)) })
	link(out)
	return out
}

func find(m map[string]int, id string) (int, bool) {
	n, has := m[strings.ToLower(id)]
	return n, has
}

// Newer is one alert of two copies of it, in any order: what changed later says how it
// stands, and the other fills in what that does not say. Of copies that say the same time,
// Graph's counts, and then the second.
func Newer(a, b Alert) Alert {
	if c := b.Changed.Compare(a.Changed); c < 0 || c == 0 && slices.Contains(a.From, Graph) && !slices.Contains(b.From, Graph) {
		a, b = b, a
	}
	return fill(b, a)
}

// Update is what is known of an alert that was kept when it is read again. since is how long
// the kept copy has stood as it is: one that says less is taken for late for a while only.
func Update(kept, fresh Alert, since time.Duration) Alert {
	if fresh.Changed.Before(kept.Changed) && since < Lag {
		return fill(kept, fresh)
	}
	return fill(fresh, kept)
}

// fill gives a what only b says. How it stands is a's alone.
func fill(a, b Alert) Alert {
	pick := func(to *string, or string) { *to = cmp.Or(*to, or) }
	pick(&a.ID, b.ID)
	pick(&a.GraphID, b.GraphID)
	pick(&a.EventID, b.EventID)
	pick(&a.Name, b.Name)
	pick(&a.Description, b.Description)
	if slices.Contains(b.From, Graph) && b.Type != "" && !slices.Contains(a.From, Graph) || a.Type == "" {
		a.Type, a.Kind = b.Type, b.Kind
	}
	pick(&a.Severity, b.Severity)
	pick(&a.Confidence, b.Confidence)
	pick(&a.Customer, b.Customer)
	pick(&a.CustomerName, b.CustomerName)
	pick(&a.Subscription, b.Subscription)
	pick(&a.Reseller, b.Reseller)
	a.Test = a.Test || b.Test && len(a.From) == 0
	if len(a.Resources) < len(b.Resources) {
		a.Resources = b.Resources
	}
	if len(b.Details) > 0 {
		all := maps.Clone(b.Details)
		maps.Copy(all, a.Details)
		a.Details = all
	}
	a.Log = history(a.Log, b.Log)
	a.Detected = cmp.Or(a.Detected, b.Detected)
	a.First, a.Last = cmp.Or(a.First, b.First), cmp.Or(a.Last, b.Last)
	if a.Status == Resolved && b.Status == Resolved {
		a.ResolvedAt = cmp.Or(a.ResolvedAt, b.ResolvedAt)
		a.ResolvedBy, a.Reason = cmp.Or(a.ResolvedBy, b.ResolvedBy), cmp.Or(a.Reason, b.Reason)
	}
	from := slices.Concat(a.From, b.From)
	slices.Sort(from)
	a.From = slices.Compact(from)
	a.settle(a.ResolvedAt)
	return a
}

// history is both histories as one. Both interfaces show the same changes, in other words
// and clocks: those of the same second to the same state are one.
func history(a, b []Change) []Change {
	seen := map[string]bool{}
	var out []Change
	for _, l := range slices.Concat(a, b) {
		key := strings.ToLower(l.To) + " " + strconv.FormatInt(l.At.Unix(), 10)
		if !seen[key] && len(out) < maxLog {
			out = append(out, l)
		}
		seen[key] = true
	}
	slices.SortStableFunc(out, func(x, y Change) int { return x.At.Compare(y.At) })
	return out
}

// pair joins what one interface tells alone with what the other tells alone, where it is sure
// that they are one.
func pair(list []Alert) []Alert {
	events := map[string][]int{} // by subscription and second, of fraud events alone
	byID := map[string]int{}
	for i := range list {
		if a := &list[i]; a.GraphID == "" {
			events[near(a, 0)] = append(events[near(a, 0)], i)
			byID[strings.ToLower(a.EventID)] = i
		}
	}
	to := map[int][]int{} // by alert of Graph: events that it may be
	claims := map[int]int{}
	for i := range list {
		a := &list[i]
		if a.GraphID == "" || a.EventID != "" {
			continue
		}
		if n, named := byID[named(a)]; named {
			to[i], claims[n] = []int{n}, claims[n]+1
			continue
		}
		for d := int64(-1); d <= 1 && !a.Detected.IsZero(); d++ {
			for _, n := range events[near(a, d)] {
				if alike(a, &list[n]) {
					to[i], claims[n] = append(to[i], n), claims[n]+1
				}
			}
		}
	}
	gone := map[int]bool{}
	for i := range list {
		if n := to[i]; len(n) == 1 && claims[n[0]] == 1 {
			list[i], gone[n[0]] = Newer(list[i], list[n[0]]), true
		}
	}
	out := list[:0:0]
	for i := range list {
		if !gone[i] {
			out = append(out, list[i])
		}
	}
	return out
}

// near is where alerts of a subscription are found by their second.
func near(a *Alert, d int64) string {
	return a.Subscription + " " + strconv.FormatInt(a.Detected.Unix()+d, 10)
}

// named is the fraud event that an alert of Graph names itself by: in its details, or by the
// entity of "{subscription}_{entity}".
func named(a *Alert) string {
	for name, v := range a.Details {
		var id string
		if bare(name) == "eventid" && json.Unmarshal(v, &id) == nil && id != "" {
			return strings.ToLower(id)
		}
	}
	return a.Subscription + "_" + strings.ToLower(a.GraphID)
}

// alike says that two alerts of the same second and subscription are one: of a customer, a
// kind that is known, and resources.
func alike(a, b *Alert) bool {
	same := a.Subscription != "" && !a.Detected.IsZero() && !b.Detected.IsZero() && (a.Customer == "" || b.Customer == "" || a.Customer == b.Customer)
	kinds := a.Kind != "" && a.Kind == b.Kind || a.Type != "" && bare(a.Type) == bare(b.Type)
	return same && kinds && a.Test == b.Test && slices.Equal(resources(a), resources(b))
}

func resources(a *Alert) []string {
	var out []string
	for _, r := range a.Resources {
		out = append(out, strings.ToLower(r.ID))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// link has alerts that may be one name each other: told by one interface alone each, of the
// same subscription, within two minutes.
func link(list []Alert) {
	const within = 120
	half := map[string][]int{}
	bucket := func(a *Alert, d int64) string {
		return a.Subscription + " " + strconv.FormatInt(a.Detected.Unix()/within+d, 10)
	}
	for i := range list {
		a := &list[i]
		a.Linked = nil
		if (a.GraphID == "") != (a.EventID == "") && a.Subscription != "" && !a.Detected.IsZero() {
			half[bucket(a, 0)] = append(half[bucket(a, 0)], i)
		}
	}
	const most = 10
	for i := range list {
		a := &list[i]
		if a.GraphID == "" || a.EventID != "" || a.Subscription == "" || a.Detected.IsZero() {
			continue
		}
		for d := int64(-1); d <= 1; d++ {
			for _, n := range half[bucket(a, d)] {
				b := &list[n]
				if b.GraphID == "" && b.Detected.Sub(a.Detected).Abs() <= within*time.Second && len(a.Linked) < most && len(b.Linked) < most {
					a.Linked, b.Linked = append(a.Linked, b.ID), append(b.Linked, a.ID)
				}
			}
		}
	}
	for i := range list {
		slices.Sort(list[i].Linked)
	}
}
