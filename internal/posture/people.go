package posture

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The kinds of evidence that accounts come from.
const (
	userKind         = "user"
	registrationKind = "userRegistrationDetails"
	roleKind         = "roleAssignment"
	signInKind       = "signIn"
)

// people compares the accounts. One that is missing was removed only where the list
// of users was read whole.
func (c *comparison) people() {
	all := maps.Clone(c.accA)
	maps.Copy(all, c.accB)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		o, n := c.accA[k], c.accB[k]
		switch {
		case o == nil:
			if n.DirectoryKnown && c.listA[userKind] == ListWhole {
				c.add(c.about(AccountAdded, n, "the account is new: "+words(n.Class), 0, userKind))
			}
		case n == nil || o.DirectoryKnown && !n.DirectoryKnown:
			if o.DirectoryKnown && c.listB[userKind] == ListWhole {
				c.add(c.about(AccountRemoved, o, "the account is there no more", 0, userKind))
			}
		default:
			c.person(o, n)
		}
	}
}

func (c *comparison) about(kind CauseKind, a *Account, text string, better int, kinds ...string) Cause {
	return Cause{Kind: kind, Subject: or(a.Name, a.ID), Object: a.ID, Text: text, better: better, kinds: kinds}
}

// person compares what is known of one account.
func (c *comparison) person(o, n *Account) {
	if o.DirectoryKnown && n.DirectoryKnown && o.Enabled != n.Enabled {
		if n.Enabled {
			c.add(c.about(AccountEnabled, n, "the account was enabled", -1, userKind))
		} else {
			c.add(c.about(AccountDisabled, n, "the account was disabled", 1, userKind))
		}
	}
	const unknown = "unknown"
	if o.Factor != n.Factor && o.Factor != unknown && n.Factor != unknown {
		if weaker(n.Factor, o.Factor) {
			c.add(c.about(FactorLost, n, fmt.Sprintf("its strongest method was %s and is %s", words(o.Factor), words(n.Factor)), -1, registrationKind))
		} else {
			c.add(c.about(FactorGained, n, fmt.Sprintf("its strongest method was %s and is %s", words(o.Factor), words(n.Factor)), 1, registrationKind))
		}
	}
	if c.listA[roleKind] == ListWhole && c.listB[roleKind] == ListWhole {
		if given := missing(n.Roles, o.Roles); len(given) > 0 {
			c.add(c.about(RoleGiven, n, "it was given "+strings.Join(given, ", "), -1, roleKind))
		}
		if taken := missing(o.Roles, n.Roles); len(taken) > 0 {
			c.add(c.about(RoleTaken, n, "it holds no more "+strings.Join(taken, ", "), 1, roleKind))
		}
	}
	switch {
	case after(n.LastUnasked, o.LastUnasked):
		c.add(c.about(SignedInUnasked, n, "it signed in without MFA at "+n.LastUnasked.UTC().Format("2006-01-02 15:04 UTC"), -1, signInKind))
	case o.LastUnasked != nil && n.LastUnasked == nil && c.listB[signInKind] == ListWhole:
		c.add(c.about(UnaskedPast, n, "its sign-in without MFA of "+o.LastUnasked.UTC().Format("2006-01-02")+
			" is older than the log that is looked at: nothing of the account itself changed by that", 1, signInKind))
	}
}

// missing are those of a that are not in b.
func missing(a, b []string) (out []string) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// strength orders the factors.
var strength = map[string]int{"none": 0, "phone": 1, "otp": 2, "app": 3, "phishing_resistant": 4}

func weaker(a, b string) bool { return strength[a] < strength[b] }
