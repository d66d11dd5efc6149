//go:build !judge

package inquiry

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/fraud"
	"partnerguard/internal/print"
	"partnerguard/internal/signin"
)

// How much of a log it takes to say that something is new.
const (
	enoughDays = 14
	burst      = 10 // machines within an hour
)

// Sides of a reason.
const (
	sideFor = iota
	sideAgainst
	sideUnknown
)

func (b *build) say(side int, key, text string, strong bool, acts ...int) {
	b.said = append(b.said, said{Reason{Key: key, Text: sentence(text), Strong: strong}, side, acts})
}

// ask says that something is not known, and what would settle it.
func (b *build) ask(key, text, ask string, acts ...int) {
	b.said = append(b.said, said{Reason{Key: key, Text: sentence(text), Ask: ask}, sideUnknown, acts})
}

// sentence is a text as one; an address or an id that it begins with stays as it is.
func sentence(text string) string {
	s := print.Saying(text)
	if s == "" || strings.HasSuffix(s, "…") || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

// judge names what speaks for fraud, what against, and what is not known.
func (b *build) judge() {
	b.giversOf()
	b.byIdentity()
	b.byRisk()
	b.byPlace()
	b.byMade()
	b.byAlert()
	b.byCost()
	b.byReading()
}

// concerns says whether an act before it began is one that it may have begun with.
func (b *build) concerns(a *act) bool {
	return !a.at.IsZero() && !a.failed && a.at.After(b.onset.Add(-lookBack))
}

// givers finds who gave those who made it what they made it with: by themselves they are no
// more than administrators, and are looked at, too.
func (b *build) giversOf() {
	b.givers = map[string]bool{}
	for i := range b.acts {
		a := &b.acts[i]
		if identityWords[a.key] == "" || a.key == "passwordReset" || !b.concerns(a) || a.at.After(b.onset.Add(apart)) || b.actors[a.actor] || a.actor == "" {
			continue
		}
		if b.toActor(a) != "" {
			b.givers[a.actor] = true
		}
	}
}

// looked are those who made it, and those who gave them what they made it with.
func (b *build) looked() []string {
	all := maps.Clone(b.actors)
	maps.Copy(all, b.givers)
	return slices.Sorted(maps.Keys(all))
}

func (b *build) looks(key string) bool { return b.actors[key] || b.givers[key] }

// toActor is whom of those who are looked at an act was done to; "" is none.
func (b *build) toActor(a *act) string {
	for _, key := range b.looked() {
		n := b.f.names[key]
		if a.to != "" && a.to == key || n != nil && (a.toApp != "" && a.toApp == n.App || a.toName != "" && n.Name != "" && strings.EqualFold(a.toName,
			n.Name)) {
			return key
		}
	}
	return ""
}

// identityWords say what an act of a kind is a sign of.
var identityWords = map[string]string{
	"newRight": "was given a right in Azure", "elevated": "took access to all of Azure", "newCredential": "was given a credential",
	"newConsent": "was given permissions", "newRole": "was given a directory role", "methodChanged": "had a method of MFA changed",
	"passwordReset": "had the password changed", "newAccount": "was made",
}

// byIdentity looks for rights, credentials, consents and methods that came just before.
func (b *build) byIdentity() {
	found := 0
	for i := range b.acts {
		a := &b.acts[i]
		words := identityWords[a.key]
		if words == "" || !b.concerns(a) || a.at.After(b.t.AsOf) {
			continue
		}
		to := b.toActor(a)
		if a.key == "elevated" && b.actors[a.actor] {
			to = a.actor
		}
		switch {
		case to != "" && a.at.Before(b.onset.Add(apart)):
			found++
			who := b.f.called(to)
			if a.key == "newRight" {
				words += " (" + cmp.Or(a.role, "which is not said") + ")"
			}
			b.say(sideFor, a.key, fmt.Sprintf("%s %s %s by %s", who, words, b.ago(a.at), cmp.Or(b.f.called(a.actor), "somebody who is not named")), a.strong, i)
			b.cause(i)
			b.why(to, words+" shortly before")
			if a.actor != to {
				b.why(a.actor, "it did that to "+who)
			}
		case b.actors[a.actor]:
			found++
			b.say(sideFor, a.key+"By", fmt.Sprintf("%s also %s", b.f.called(a.actor), a.what), a.strong, i)
		}
	}
	if found == 0 && b.known("directoryAudits") && b.known("azureRoleAssignments", "azureActivity") && len(b.actors) > 0 {
		b.say(sideAgainst, "noIdentityChange",
			"none of those who made it was given a right, a credential, a consent or another method of MFA in the 72 hours before", false)
	}
}

// cause remembers the first act that it may have begun with.
func (b *build) cause(i int) {
	if b.causeAct < 0 || b.acts[i].at.Before(b.acts[b.causeAct].at) {
		b.causeAct = i
	}
}

func (b *build) why(actor, words string) {
	if n := b.f.names[actor]; n != nil {
		n.addWhy(words)
	}
}

// ago says how long before it began something was.
func (b *build) ago(at time.Time) string {
	d := b.onset.Sub(at)
	if d < 0 {
		return span(-d) + " after it began"
	}
	return span(d) + " before it began"
}

// span is a time in words: "2 h 10 min".
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return print.Plural(int64(d/(24*time.Hour)), "days")
}

// byRisk looks at what Identity Protection and the sign-ins of those who made it say.
func (b *build) byRisk() {
	risky := 0
	for i := range b.acts {
		a := &b.acts[i]
		if !b.looks(a.actor) || !a.at.IsZero() && a.at.Before(b.onset.Add(-lookBack)) {
			continue
		}
		switch {
		case a.source == Risk:
			risky++
			b.say(sideFor, a.key, b.f.called(a.actor)+" "+a.what, a.strong, i)
			b.why(a.actor, "Microsoft holds it for at risk")
		case a.source == SignIns && (a.risk == "high" || a.risk == "medium"):
			risky++
			b.say(sideFor, "riskySignIn", fmt.Sprintf("%s signed in with %s risk, %s", b.f.called(a.actor), a.risk, b.ago(a.at)), a.risk == "high" &&
				!a.failed, i)
			b.why(a.actor, "a sign-in of "+a.risk+" risk")
			if !a.failed && a.at.Before(b.onset) {
				b.cause(i)
			}
		}
	}
	if risky == 0 && b.known("riskyUsers") && b.known("riskDetections") && len(b.actors) > 0 {
		b.say(sideAgainst, "noRisk", "Microsoft holds none of those who made it for at risk", false)
	}
}

// byPlace looks at from where those who made it came.
func (b *build) byPlace() {
	days := 0
	if from, ok := b.f.first[SignIns]; ok {
		days = int(b.onset.Sub(from) / (24 * time.Hour))
	}
	for _, key := range b.looked() {
		name := b.f.called(key)
		var fresh, proven, bare []int
		lands, seen := b.before.lands[key], 0
		for i := range b.acts {
			a := &b.acts[i]
			if a.source != SignIns || a.actor != key || a.failed || a.at.Before(b.onset.Add(-lookBack)) {
				continue
			}
			seen++
			switch {
			case a.country != "" && len(lands) > 0 && !lands[a.country]:
				fresh = append(fresh, i)
			case a.mfa == signin.Challenged && lands[a.country]:
				proven = append(proven, i)
			}
			if a.mfa == signin.NotChallenged {
				bare = append(bare, i)
			}
		}
		switch {
		case len(fresh) > 0:
			b.say(sideFor, "newCountry", fmt.Sprintf("%s signed in from %s, where it had not been before", name, b.acts[fresh[0]].country), true, fresh...)
			b.why(key, "it signed in from a country that is new for it")
			if b.acts[fresh[0]].at.Before(b.onset) {
				b.cause(fresh[0])
			}
		case len(proven) > 0:
			b.say(sideAgainst, "mfaDone", fmt.Sprintf("%s did MFA at a sign-in from %s, where it was before", name, b.acts[proven[0]].country), false,
				proven...)
		case seen == 0 && days > 0:
			b.ask("signIn:"+key, "no sign-in of "+name+" is seen in the 72 hours before it began: its token may be older, or another's",
				"read the sign-ins of "+
					name+" in the Entra admin centre, further back, and of all kinds")
		case len(lands) == 0:
			b.ask("country:"+key, fmt.Sprintf("whether the country is new for %s: its sign-ins are known for %s before", name, print.Plural(int64(max(days,
				0)), "days")),
				"ask the customer where "+name+" works from")
		}
		if len(bare) > 0 {
			b.say(sideFor, "noMFA", name+" signed in without MFA", false, bare...)
		}
		b.byHabit(key, name)
	}
}

// byHabit looks at whether somebody did such things before, and from where.
func (b *build) byHabit(key, name string) {
	days := len(b.before.days[key])
	var first int
	addresses := map[string]bool{}
	first = -1
	for i := range b.acts {
		if b.suspect[i] && b.acts[i].actor == key {
			if first < 0 {
				first = i
			}
			addresses[b.acts[i].ip] = true
		}
	}
	delete(addresses, "")
	if first < 0 {
		return
	}
	known := 0
	for ip := range addresses {
		if b.before.ips[key][ip] {
			known++
		}
	}
	reach := b.reaches()
	switch {
	case days >= 5:
		b.say(sideAgainst, "knownActor", fmt.Sprintf("%s acted in this subscription on %d other days, in the %d days that the log reaches back", name, days,
			reach), true, first)
	case days == 0 && reach >= enoughDays:
		b.say(sideFor, "newActor", fmt.Sprintf("%s had done nothing in this subscription in the %d days before", name, reach), false, first)
	case days == 0:
		b.ask("actor:"+key, fmt.Sprintf("whether %s worked here before: the log of Azure's acts reaches %s back", name, print.Plural(int64(reach), "days")),
			"ask the customer who "+name+" is")
	}
	switch {
	case len(addresses) > 0 && known == len(addresses):
		b.say(sideAgainst, "knownAddress", name+" acted from an address that it had acted from before", false, first)
	case len(b.before.ips[key]) > 0 && len(addresses) > 0 && known == 0:
		b.say(sideFor, "newAddress", name+" acted from an address that it had never acted from before", false, first)
	}
}

// byMade looks at what was made: where, of which kind and size, and how fast.
func (b *build) byMade() {
	var made []int
	regions, types, sizes := map[string][]int{}, map[string][]int{}, map[string][]int{}
	for i := range b.acts {
		a := &b.acts[i]
		if !b.suspect[i] || a.kind != Made {
			continue
		}
		made = append(made, i)
		if a.region != "" {
			regions[a.region] = append(regions[a.region], i)
		}
		types[a.typ] = append(types[a.typ], i)
		if a.sku != "" {
			sizes[a.sku] = append(sizes[a.sku], i)
		}
	}
	if len(made) == 0 {
		b.ask("made", "what was made: no act that the alert could be about is in the log that was read",
			"GET /subscriptions/"+cmp.Or(b.t.Alert.Subscription,
				"{id}")+"/providers/Microsoft.Insights/eventtypes/management/values, and look at the subscription in the Azure portal")
		return
	}
	b.causeOr(made[0])
	b.newOnes(regions, b.before.regions, regionKey, "newRegion", "region", "made things in %s, where nothing of the kind was before",
		"all of it is in a region that was used before")
	b.newOnes(types, b.before.types, strings.ToLower, "newType", "kind", "made %s, which was not made here before",
		"all of it is of a kind that was made here before")
	b.bySize(sizes)
	if n, acts := b.fastest(made); n >= burst {
		b.say(sideFor, "burst", fmt.Sprintf("%d were made within an hour", n), n >= 2*burst, acts...)
	}
	b.byQuota()
}

// byQuota names each who asked for more quota, once: a thief asks in every region.
func (b *build) byQuota() {
	asked := map[string][]int{}
	var order []string
	for i := range b.acts {
		if a := &b.acts[i]; a.key == "quota" && b.concerns(a) {
			if len(asked[a.actor]) == 0 {
				order = append(order, a.actor)
			}
			asked[a.actor] = append(asked[a.actor], i)
		}
	}
	for _, who := range order {
		acts, times := asked[who], ""
		if len(acts) > 1 {
			times = fmt.Sprintf(" %d times", len(acts))
		}
		b.say(sideFor, "quota", fmt.Sprintf("%s asked for more quota%s, %s", cmp.Or(b.f.called(who), "somebody"), times,
			b.ago(b.acts[acts[0]].at)), b.actors[who], acts...)
	}
}

// causeOr has it begin with an act where nothing before it is known.
func (b *build) causeOr(i int) {
	if b.causeAct < 0 {
		b.causeAct = i
	}
}

// newOnes says which of some values were not there before.
func (b *build) newOnes(now map[string][]int, before map[string]bool, key func(string) string, name, what, isNew, isOld string) {
	if len(now) == 0 {
		b.ask(name, "the "+what+" of what was made is not said by the rows that were read", "look at the resources in the Azure portal")
		return
	}
	if b.reaches() < enoughDays {
		b.ask(name, fmt.Sprintf("whether the %s is new: the log reaches %s back, and %d are wanted", what, print.Plural(int64(b.reaches()), "days"),
			enoughDays),
			"GET /subscriptions/"+cmp.Or(b.t.Alert.Subscription,
				"{id}")+"/providers/Microsoft.Insights/eventtypes/management/values with eventTimestamp ge, 89 days back")
		return
	}
	var fresh []string
	var acts []int
	for _, v := range slices.Sorted(maps.Keys(now)) {
		if !before[key(v)] {
			fresh = append(fresh, strings.TrimPrefix(v, "microsoft."))
			acts = append(acts, now[v]...)
		}
	}
	switch {
	case len(fresh) > 0:
		b.say(sideFor, name, "they "+fmt.Sprintf(isNew, listed(fresh, 6)), len(fresh) > 1 || name == "newType", acts...)
	default:
		b.say(sideAgainst, "usual"+strings.ToUpper(what[:1])+what[1:], isOld, false)
	}
}

// listed names some, and counts the rest.
func listed(list []string, most int) string {
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}

// bySize looks for sizes that miners want.
func (b *build) bySize(sizes map[string][]int) {
	var strong []string
	var acts []int
	usual := 0
	for _, s := range slices.Sorted(maps.Keys(sizes)) {
		why := strongSize(s)
		switch {
		case why != "" && !b.before.sizes[strings.ToLower(s)]:
			strong = append(strong, s+" ("+why+")")
			acts = append(acts, sizes[s]...)
		case b.before.sizes[strings.ToLower(s)]:
			usual++
		}
	}
	switch {
	case len(strong) > 0:
		b.say(sideFor, "strongSize", "sizes that miners want, and that were not here before: "+listed(strong, 4), true, acts...)
	case usual == len(sizes) && usual > 0:
		b.say(sideAgainst, "usualSize", "all sizes were used here before", false)
	case len(sizes) == 0:
		b.ask("size", "the size of what was made is not said by the rows that were read", "look at the resources in the Azure portal")
	}
}

// fastest is the most that were made within an hour.
func (b *build) fastest(made []int) (n int, acts []int) {
	for i, j := 0, 0; j < len(made); j++ {
		for b.acts[made[j]].at.Sub(b.acts[made[i]].at) > time.Hour {
			i++
		}
		if j-i+1 > n {
			n, acts = j-i+1, made[i:j+1]
		}
	}
	return n, acts
}

// byAlert looks at what the alert itself says, and at others before it.
func (b *build) byAlert() {
	pool := ""
	for name, raw := range b.t.Alert.Details {
		low := strings.ToLower(name)
		v := clean(strings.Trim(string(raw), `"`))
		if strings.Contains(low, "miningpool") && v != "" && v != "null" && (pool == "" || strings.Contains(low, "domain")) {
			pool = v
		}
	}
	if pool != "" {
		b.say(sideFor, "miningPool", "Microsoft saw connections to the mining pool "+pool, true)
	} else if b.t.Alert.Kind == fraud.CryptoMining {
		b.say(sideFor, "mining", "Microsoft saw mining; it does not say at which pool", true)
	}
	legit, bad := 0, 0
	for i := range b.f.o.Earlier {
		e := &b.f.o.Earlier[i]
		if e.ID == b.t.Alert.ID || e.Test || !strings.EqualFold(e.Subscription, b.t.Alert.Subscription) || e.Status != fraud.Resolved {
			continue
		}
		switch e.Reason {
		case fraud.Legitimate:
			legit++
		case fraud.Fraud:
			bad++
		}
	}
	if legit > 0 {
		b.say(sideAgainst, "earlierLegitimate", print.Plural(int64(legit), "earlier alerts")+" of this subscription, answered as legitimate", false)
	}
	if bad > 0 {
		b.say(sideFor, "earlierFraud", print.Plural(int64(bad), "earlier alerts")+" of this subscription, answered as fraud", false)
	}
	if b.t.Alert.Status != fraud.Resolved {
		b.ask("customer", "whether the customer ordered it",
			"call the customer's contact by a number that you had before, and note who said what: partnerguard fraud note")
	}
}
