package directory

import (
	"strings"
	"time"
)

// maxDeletions bounds what is kept of the audit log's deletions; beyond it nothing is said to
// be deleted.
const maxDeletions = 100_000

// deletion is the last that the audit log says of a thing's being there.
type deletion struct {
	at   time.Time
	gone bool      // else it was made, or brought back
	made time.Time // zero: the log does not say when
}

// addDeletion keeps that a row deletes a policy of Conditional Access or an account, or brings
// it back. A row without a time or an id, or of what did not succeed, says nothing.
func (d *Directory) addDeletion(a *Audit, activity string) {
	verb, thing, _ := strings.Cut(strings.TrimPrefix(activity, "hard "), " ")
	if thing != "conditional access policy" && thing != "user" || !a.At.Set || !strings.EqualFold(string(a.Result), "success") {
		return
	}
	if verb != "delete" && verb != "restore" && verb != "add" {
		return
	}
	for i := range a.Targets.Items {
		id := strings.ToLower(string(a.Targets.Items[i].ID))
		was, here := d.deletions[id]
		if id == "" || !here && len(d.deletions) >= maxDeletions {
			continue
		}
		is := deletion{a.At.UTC(), verb == "delete", was.made}
		if verb == "add" && is.at.After(is.made) {
			is.made = is.at
		}
		switch {
		case here && is.at.Before(was.at):
			is.at, is.gone = was.at, was.gone
		case here && is.at.Equal(was.at): // in which order is not told
			is.gone = is.gone && was.gone
		}
		d.deletions[id] = is
	}
}

// Deleted is when the tenant's own audit log says that a policy or an account was deleted, by
// its object id, and when it was made, the zero time where it does not say that; false where it
// does not tell of a deletion, or says later that it was brought back.
func (d *Directory) Deleted(id string) (at, made time.Time, ok bool) {
	x, ok := d.deletions[strings.ToLower(id)]
	return x.at, x.made, ok && x.gone
}
