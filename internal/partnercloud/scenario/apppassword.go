package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// maxAppPasswords is how many an account may have (contracts.md section 9.2).
const maxAppPasswords = 40

// The activities of the directory's audit log (contracts-2026-11.md section 6).
const (
	appPasswordMade    = "Create application password for user"
	appPasswordDeleted = "Delete application password for user"
)

func (c *checker) appPasswords(path string, p *Person) {
	if n := len(p.AppPasswords); n > maxAppPasswords {
		c.fault(path, fmt.Sprintf("%d at most", maxAppPasswords), "%d app passwords are too many", n)
	} else if n > 0 && p.PerUserMFA != "enabled" && p.PerUserMFA != "enforced" {
		c.fault(path, "set perUserMfa to enabled or enforced", "app passwords live only where per-user MFA is on")
	}
	for i := range p.AppPasswords {
		c.moment(fmt.Sprintf("%s[%d].made", path, i), p.AppPasswords[i].Made)
		c.moment(fmt.Sprintf("%s[%d].deleted", path, i), p.AppPasswords[i].Deleted)
	}
}

// appPasswords gives accounts theirs, and writes who made and deleted them.
func (b *builder) appPasswords(t *world.Tenant, people []Person) {
	var rows []*world.DirectoryAudit
	for i := range people {
		p := &people[i]
		if len(p.AppPasswords) == 0 {
			continue
		}
		id := b.userID(t, p.UPN)
		t.Users.Change(id, func(u *world.User) {
			for n := range p.AppPasswords {
				a := &p.AppPasswords[n]
				made, _ := a.Made.at(b.created)
				gone, _ := a.Deleted.at(b.created)
				if !made.IsZero() {
					rows = append(rows, b.appPasswordRow(t, u, u, appPasswordMade, made, n))
				}
				if gone.IsZero() || gone.After(b.created) {
					u.AppPasswords = append(u.AppPasswords, b.state.GUID(fmt.Sprintf("app password/%s/%d", id, n)))
					continue
				}
				by := u
				if other := t.Users.Get(b.person(t, a.By)); a.By != "" && other != nil {
					by = other
				}
				rows = append(rows, b.appPasswordRow(t, u, by, appPasswordDeleted, gone, n))
			}
		})
	}
	slices.SortStableFunc(rows, func(x, y *world.DirectoryAudit) int { return x.At.Compare(y.At.Time) })
	for _, r := range rows {
		b.state.Audit(t, r)
	}
}

func (b *builder) appPasswordRow(t *world.Tenant, whose, by *world.User, activity string, at time.Time, n int) *world.DirectoryAudit {
	name := by.Name
	guid := func(of string) string {
		return b.state.GUID(fmt.Sprintf("%s/%s/%s/%s/%d", of, t.ID, whose.ID, activity, n))
	}
	return &world.DirectoryAudit{
		ID: "Authentication Methods_" + guid("audit"), At: world.Stamp{Time: at.Truncate(time.Second)}, Activity: activity, Category: "UserManagement",
		Operation: strings.Fields(activity)[0], Service: "Authentication Methods", Correlation: guid("correlation"),
		By:      world.Initiator{User: &world.AuditUser{ID: by.ID, UPN: by.UPN, Name: &name}},
		Targets: []world.AuditTarget{{ID: whose.ID, Type: "User", Name: &whose.Name, UPN: &whose.UPN, Modified: []world.Modified{}}},
	}
}
