package facts

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// CutsFromLog says which lists the sign-in log proves not to be whole: it
// applied a policy that the export lacks, or let in an account that the users
// lack. What the directory's audit log says was deleted since is not lacking; whether
// anything else was deleted is not known here.
// Lists that were not read at all are not cut, and sign-ins must have been
// folded.
func (f *Facts) CutsFromLog() (cuts []evidence.Cut) {
	if f.SignIns == nil {
		return nil
	}
	if f.logCutsOf != f.SignIns || f.resolved == nil {
		f.logCuts, f.logCutsOf = f.cutsFromLog(), f.SignIns
	}
	return f.logCuts
}

func (f *Facts) cutsFromLog() (cuts []evidence.Cut) {
	ages := sync.OnceValue(f.Ages)
	if f.listed(evidence.ConditionalAccessPolicy) {
		var first *signin.PolicySighting
		n := 0
		for i := range f.SignIns.Applied {
			if s := &f.SignIns.Applied[i]; f.Policies[s.ID] == nil && !f.deletedSince(ages, evidence.ConditionalAccessPolicy, s.ID, s.Last) {
				if n++; first == nil {
					first = s
				}
			}
		}
		if n > 0 {
			name := first.Name
			if name == "" {
				name = first.ID
			}
			why := fmt.Sprintf("lacks the policy %q, which the sign-in log applied", name)
			if !first.Last.IsZero() {
				why += " until " + first.Last.Format("2006-01-02")
			}
			cuts = append(cuts, evidence.Cut{Kind: evidence.ConditionalAccessPolicy, Why: why + more(n), Source: first.Source})
		}
	}
	if f.listed(evidence.User) {
		var first *signin.Account
		n := 0
		for i := range f.SignIns.Accounts {
			if s := &f.SignIns.Accounts[i]; f.ofThisTenant(s) && f.Directory.FindUser(s.Key, s.UserPrincipalName) == "" &&
				!f.deletedSince(ages, evidence.User, s.UserID, s.LastSignIn) {
				if n++; first == nil {
					first = s
				}
			}
		}
		if n > 0 {
			name := first.UserPrincipalName
			if name == "" {
				name = first.UserID
			}
			cut := evidence.Cut{Kind: evidence.User, Why: fmt.Sprintf("lacks the account %s, which the sign-in log let in", name) + more(n)}
			for _, w := range append(first.NotChallenged, first.Unknown...) {
				cut.Source = w.Source
				break
			}
			cuts = append(cuts, cut)
		}
	}
	return cuts
}

// late is how long a policy or an account that was deleted may still come into the log: no
// list of Microsoft's directory is the same everywhere at once (M).
const late = time.Hour

// deletedSince says that the audit log tells of a deletion after the last that was seen of
// something, the zero time none. A list from before the deletion ought to hold it all the same,
// unless it was made later than the list.
func (f *Facts) deletedSince(ages func() *Ages, kind evidence.Kind, id string, last time.Time) bool {
	at, made, ok := f.Directory.Deleted(id)
	if !ok || last.IsZero() || last.After(at.Add(late)) {
		return false
	}
	list, _ := ages().Of(kind)
	read := list.Bound()
	return read.IsZero() || !at.After(read.Add(late)) || made.After(read)
}

func more(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(", and %d more", n-1)
}

// ofThisTenant reports an account of the log that must be among the tenant's
// users: it got in, and it is no guest, whose row may name an account of another
// tenant, and no technician of a provider.
func (f *Facts) ofThisTenant(s *signin.Account) bool {
	if s.Key == "" || s.UserID == "" || s.Verdicts.Proven()+s.Verdicts.Of(signin.NotChallenged)+s.Verdicts.Of(signin.Unknown) == 0 {
		return false
	}
	upn := strings.ToUpper(s.UserPrincipalName)
	return (s.UserType == "" || strings.EqualFold(s.UserType, "member")) && !strings.Contains(upn, "#EXT#") && !technician(upn)
}

// technician reports the name that users of a partner have in their customers'
// logs: user_ and 32 hexadecimal digits (contracts-2026-11.md section 3.1).
func technician(upn string) bool {
	local, _, _ := strings.Cut(upn, "@")
	id, ok := strings.CutPrefix(local, "USER_")
	return ok && len(id) == 32 && strings.Trim(id, "0123456789ABCDEF") == ""
}
