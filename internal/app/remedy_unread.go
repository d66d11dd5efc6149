package app

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/remedy"
)

// rolesFresh is how old roles may be that were collected and cannot be read now: they are
// collected daily, and more often where somebody changes them.
const rolesFresh = 26 * time.Hour

// tellRoles says of a gate what it may not say of roles that were not read: that nobody is
// left in them. Whether two ways in remain is then not known, and the one request that
// settles it is named; to go on without is nobody's to accept. Roles that were collected too
// long ago, and cannot be read now, are not known either, and somebody may take that upon
// themselves.
func (r *Remedies) tellRoles(g *remedy.Gate, accepted []remedy.Acceptance) {
	settles := evidence.RequestFor(evidence.RoleAssignment)
	t := r.in.Tenant
	switch {
	case !t.RolesKnown:
		if t.RolesLack != "" {
			settles = t.RolesLack
		}
		for i := range g.Findings {
			f := &g.Findings[i]
			// What shuts the acting account out does so whatever roles it has.
			if f.Kind != remedy.LocksOut || f.SubjectID != "" && !strings.Contains(f.Text, noWriter) {
				continue
			}
			what, was := "roles ways", f.Text
			f.Text = "who holds Global Administrator was not read, or not all of it, so that it is not known whether two ways in remain"
			switch {
			case f.SubjectID != "":
				what = "roles actor"
				f.Text = "which roles " + f.Subject + " holds, who applies the plan, was not read, so that it is not known whether they may take it back"
			case r.someGlobal():
				f.Text += "; of those that were: " + was
			}
			f.Kind, f.Settles, f.Acceptable, f.WaysOut = remedy.Unknown, settles, false, []string{"let it be read: RoleManagement.Read.Directory"}
			f.ID = findingID(f, what)
		}
	case r.live && !r.rolesNow && r.at.Sub(r.rolesAt) > rolesFresh:
		f := remedy.Finding{Kind: remedy.Unknown, Acceptable: true, Settles: settles,
			Text: "who holds directory roles at this moment may not be read by this connection, and they were collected on " +
				r.rolesAt.UTC().Format(time.DateOnly) + ": whether the ways in still are is not known",
			WaysOut: []string{"collect once more: partnerguard collect --now; or let it be read: RoleManagement.Read.Directory"}}
		r.first(g, &f, "roles now", accepted)
	case r.live && !r.peopleNow && r.at.Sub(r.peopleAt) > rolesFresh:
		f := remedy.Finding{Kind: remedy.Unknown, Acceptable: true, Settles: evidence.RequestFor(evidence.User),
			Text: "whether who holds Global Administrator is enabled at this moment may not be read by this connection, and accounts were collected on " +
				r.peopleAt.UTC().Format(time.DateOnly) + ": whether the ways in still are is not known",
			WaysOut: []string{"collect once more: partnerguard collect --now; or let it be read: User.Read.All"}}
		r.first(g, &f, "people now", accepted)
	default:
		return
	}
	g.Passed = !slices.ContainsFunc(g.Findings, func(f remedy.Finding) bool { return f.Refuses() })
}

// first puts a finding that a person may accept before a gate's others.
func (r *Remedies) first(g *remedy.Gate, f *remedy.Finding, what string, accepted []remedy.Acceptance) {
	f.ID = findingID(f, what)
	for i := range accepted {
		if a := &accepted[i]; a.Finding == f.ID && a.By != "" && a.Why != "" && a.Holds(r.at) {
			f.Accepted = a
		}
	}
	g.Findings = append([]remedy.Finding{*f}, g.Findings...)
}

// noWriter is how package gate says that the acting account's roles write no policies.
const noWriter = "it holds none of the roles for it"

// someGlobal says that a Global Administrator was read.
func (r *Remedies) someGlobal() bool {
	return slices.ContainsFunc(r.in.Tenant.Users, func(u access.Subject) bool { return slices.Contains(u.Roles, entra.RoleGlobalAdministrator) })
}

// findingID names a finding as package gate does: by kind, subject and what.
func findingID(f *remedy.Finding, what string) string {
	sum := sha256.Sum256([]byte(string(f.Kind) + "\x00" + f.SubjectID + "\x00" + what))
	return hex.EncodeToString(sum[:4])
}
