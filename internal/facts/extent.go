package facts

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
)

// Extent says how much of the list of a kind was read. Only [evidence.Entire]
// is a licence to take absence for absence.
func (f *Facts) Extent(kind evidence.Kind) evidence.Extent {
	switch {
	case !f.listed(kind):
		return evidence.Absent
	case len(f.Cuts(kind)) > 0:
		return evidence.Partly
	}
	return evidence.Entire
}

// Whole reports that a list of the kind was read, be it empty, and that nothing
// says that there is more. Only then may absence be taken for absence.
func (f *Facts) Whole(kind evidence.Kind) bool { return f.Extent(kind) == evidence.Entire }

// listed reports that a list of the kind is among the inputs.
func (f *Facts) listed(kind evidence.Kind) bool {
	if f.Seen[kind] > 0 {
		return true
	}
	for i := range f.Inputs {
		if _, here := f.Inputs[i].Kinds[kind]; here { // a count of zero is a list that was there and empty
			return true
		}
	}
	return false
}

// Cuts says why the list of a kind is not whole, each with the request that
// settles it: what the inputs say of themselves, and what other lists name that
// it does not hold. An absent list has none.
func (f *Facts) Cuts(kind evidence.Kind) (cuts []evidence.Cut) {
	for i := range f.Inputs {
		in := &f.Inputs[i]
		for _, c := range in.Cuts {
			if c.Kind == kind {
				cuts = append(cuts, c)
			}
		}
		src := evidence.Source{Path: in.Path}
		_, here := in.Kinds[kind]
		switch {
		case in.Status == evidence.Unreadable && in.Refused == "" && len(in.Kinds) == 0 && len(in.Cuts) == 0 && kind != evidence.ConditionalAccessPolicy:
			// It may have been any list. A policy that is not there protects nobody, so
			// leaving it out never makes a verdict better.
			cuts = append(cuts, evidence.Cut{Kind: kind, Why: "may go on in " + in.Path + ", which could not be read", Source: src})
		case !here:
		case in.NextLink:
			cuts = append(cuts, evidence.Cut{Kind: kind, Why: "ends with a link to a further page that is not here", Source: src})
		case (in.Status == evidence.Partial || in.Status == evidence.Unreadable) && len(in.Cuts) == 0:
			cuts = append(cuts, evidence.Cut{Kind: kind, Why: "could only be read in part", Source: src})
		}
	}
	if src, ok := f.unnamed[kind]; ok {
		cuts = append(cuts, evidence.Cut{Kind: kind, Why: "holds a record that does not say whom or what it is about", Source: src})
	}
	switch kind {
	case evidence.RoleAssignment, evidence.RoleEligibility:
		if name, src := f.Directory.NamelessRole(); name != "" && f.listed(kind) {
			cuts = append(cuts, evidence.Cut{Kind: kind, Why: fmt.Sprintf("names a role %q that is not known by that name", name), Source: src})
		}
	case evidence.SubscribedSku:
		for _, key := range sortedKeys(f.Directory.SKUs) {
			if s := f.Directory.SKUs[key]; s.Lack() != "" {
				cuts = append(cuts, evidence.Cut{Kind: kind, Why: "does not say enough: " + s.Lack(), Source: s.Source})
				break
			}
		}
	case evidence.User:
		cuts = append(cuts, f.userCuts()...)
	case evidence.ConditionalAccessPolicy:
		for _, c := range f.CutsFromLog() {
			if c.Kind == kind {
				cuts = append(cuts, c)
			}
		}
	}
	return cuts
}

// userCuts are accounts that another list names and the list of users does not
// hold.
func (f *Facts) userCuts() (cuts []evidence.Cut) {
	if !f.listed(evidence.User) {
		return nil
	}
	d := f.Directory
	lacks := "does not hold %s, %s"
	for _, u := range d.Users {
		if u.ID == "" && !u.Derived {
			lacks = "carries no ids, so that nobody can say whether it holds %s, %s"
			break
		}
	}
	add := func(id, is string, src evidence.Source) {
		if len(cuts) < evidence.MaxCuts {
			cuts = append(cuts, evidence.Cut{Kind: evidence.User, Why: fmt.Sprintf(lacks, id, is), Source: src})
		}
	}
	for _, s := range f.standing().Strangers {
		add(s.ID, s.Is, evidence.Source{})
	}
	for _, key := range sortedKeys(d.Users) {
		if u := d.Users[key]; u.Derived {
			add(key, "whom another list names", u.Source)
		}
	}
	for _, key := range sortedKeys(d.Registrations) {
		if r := d.Registrations[key]; d.FindUser(r.ID, r.UserPrincipalName) == "" {
			add(key, "whose registration was exported", r.Source)
		}
	}
	for _, key := range sortedKeys(d.PrivilegedUsers) {
		if d.Users[key] == nil && d.Registrations[key] == nil {
			add(key, "a privileged user", d.PrivilegedUsers[key].Source)
		}
	}
	for _, p := range f.policies() {
		if !p.Enforced() && !p.ReportOnly() {
			continue
		}
		for _, id := range slices.Concat(p.Conditions.Users.IncludeUsers, p.Conditions.Users.ExcludeUsers) {
			if !accountWord(id) && d.FindUser(id, id) == "" {
				add(id, "whom the policy "+p.DisplayName+" names", p.Source)
			}
		}
	}
	for _, c := range f.CutsFromLog() {
		if c.Kind == evidence.User && len(cuts) < evidence.MaxCuts {
			cuts = append(cuts, c)
		}
	}
	return cuts
}

// accountWord reports a word that stands among the user ids of a policy.
func accountWord(id string) bool {
	switch strings.ToLower(id) {
	case "", "all", "none", "guestsorexternalusers":
		return true
	}
	return false
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// standing resolves memberships and roles once; taking another record makes it
// stale.
func (f *Facts) standing() *directory.Standing {
	if f.resolved == nil {
		f.resolved = f.Directory.Resolve(f.listed(evidence.Group) && len(f.inputCuts(evidence.Group)) == 0)
	}
	return f.resolved
}

// inputCuts are the cuts that the inputs say of themselves.
func (f *Facts) inputCuts(kind evidence.Kind) (cuts []evidence.Cut) {
	for i := range f.Inputs {
		in := &f.Inputs[i]
		for _, c := range in.Cuts {
			if c.Kind == kind {
				cuts = append(cuts, c)
			}
		}
		if _, here := in.Kinds[kind]; here && (in.NextLink || in.Status != evidence.Read && len(in.Cuts) == 0) {
			cuts = append(cuts, evidence.Cut{Kind: kind})
		}
	}
	return cuts
}

// cutMembers says of the groups whose member lists were exported in part only
// why; that a list of groups carries no members at all is no cut.
func (f *Facts) cutMembers() []string {
	st, first, n := f.standing(), "", 0
	for _, id := range sortedKeys(st.OpenGroups) {
		if why := st.OpenGroups[id]; f.Directory.Groups[id] != nil && f.Directory.Groups[id].Members.Set {
			if n++; n == 1 {
				first = fmt.Sprintf("of the group %s not every member is in the export: %s", f.Directory.Groups[id].DisplayName, why)
			}
		}
	}
	switch n {
	case 0:
		return nil
	case 1:
		return []string{first}
	}
	return []string{fmt.Sprintf("%s, and %d more groups", first, n-1)}
}

// CutSentences say of every list that was read and is known not to be whole why
// it is not, one sentence a list, unless the fault of an input says it already.
// Given kinds, only of these.
func (f *Facts) CutSentences(kinds ...evidence.Kind) (out []string) {
	if len(kinds) == 0 {
		seen := map[evidence.Kind]bool{evidence.User: true}
		for i := range f.Inputs {
			for k := range f.Inputs[i].Kinds {
				seen[k] = true
			}
			for _, c := range f.Inputs[i].Cuts {
				seen[c.Kind] = true
			}
		}
		kinds = sortedKeys(seen)
	}
	for _, k := range kinds {
		if k == evidence.Group {
			out = append(out, f.cutMembers()...)
		}
		var first *evidence.Cut
		n := 0
		for _, c := range f.Cuts(k) {
			if c.Why == "could only be read in part" || c.Why == "ends with a link to a further page that is not here" ||
				strings.HasPrefix(c.Why, "may go on in ") {
				continue
			}
			if n++; first == nil {
				first = &c
			}
		}
		if first != nil {
			out = append(out, first.Sentence(n-1))
		}
	}
	return out
}
