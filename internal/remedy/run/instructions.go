//go:build !judge

package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/print"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// Instructions is the text by which a plan is taken back by hand: by Graph requests, by
// PowerShell, or in the portal, with the objects as they were. It needs nothing of this
// program. Without a run it is what is known before anything was done; r and list add what
// was made and changed since.
func Instructions(p *remedy.Plan, r *Run, list []Progress) string {
	var b strings.Builder
	line := func(f string, a ...any) { fmt.Fprintf(&b, f+"\n", a...) }
	at := "https://" + entra.GraphHost
	if c, known := entra.FindCloud(p.Tenant.Cloud); known {
		at = "https://" + strings.TrimPrefix(c.Graph, "https://")
	}
	line("HOW TO TAKE PLAN %s BACK BY HAND", p.ID)
	line("")
	line("Tenant:  %s %s", p.Tenant.ID, print.Clean(p.Tenant.Name, print.MaxName))
	line("Plan:    %s", p.SHA256())
	line("Goal:    %s", print.Clean(p.Goal, print.MaxName))
	line("")
	line("1. Sign in with a break-glass account to https://entra.microsoft.com (or Connect-MgGraph with its account).")
	line("   It is excluded from the plan's policies, or was proved to get in past them.")
	for _, w := range ways(p, r) {
		line("   - %s: %s", print.Clean(w.Account, print.MaxName), print.Clean(w.How, print.MaxSaying))
	}
	line("2. If nobody gets in: every policy whose name is below can be switched off by any of these accounts under")
	line("   Protection > Conditional Access > Policies (set it to Off). That alone gives sign-in back.")
	line("3. Then take back the steps below, in this order. Each has the exact request.")
	line("")
	if r == nil {
		for i := len(p.Steps) - 1; i >= 0; i-- {
			s := p.Steps[i]
			back(line, at, i+1, &s, "the plan makes it: its id is shown by partnerguard remedy status, or find it by its name in the portal")
		}
	}
	for i := len(list) - 1; i >= 0; i-- {
		x := &list[i]
		switch x.State {
		case Done, Going, Undoes, NotTaken, Failed:
			s := backStep(x, r)
			back(line, at, x.Seq, &s, "it is not known whether it was made: look in the portal")
		}
	}
	line("Deleted policies and named locations can be restored for 30 days with the same id, deleted groups too.")
	line("What Entra Backup keeps (7 days of daily snapshots, with P1) restores policies and groups as a whole.")
	return b.String()
}

// ways are the ways in that the gates proved to remain.
func ways(p *remedy.Plan, r *Run) []remedy.Way {
	if r != nil {
		for i := len(r.Past) - 1; i >= 0; i-- {
			if g := r.Past[i].Gate; g != nil && len(g.Ways) > 0 {
				return g.Ways
			}
		}
	}
	if p.Gate != nil {
		return p.Gate.Ways
	}
	return nil
}

// backStep is a step that was done, as its way back needs it.
func backStep(x *Progress, r *Run) remedy.Step {
	s := x.Step
	if s.ID = x.ID; s.ID == "" {
		if id, err := object.ID(x.Step.ID, r.Made); err == nil {
			s.ID = id
		}
	}
	for _, o := range []*remedy.Object{&s.Before, &s.After} {
		if len(*o) > 0 {
			if got, err := object.Resolve(s.Kind, *o, r.Made); err == nil {
				*o = got
			}
		}
	}
	if x.Was != nil {
		s.Before = x.Was
	}
	if x.Became != nil && s.Do != remedy.Delete {
		s.After = x.Became
	}
	return s
}

// back writes how one step is taken back.
func back(line func(string, ...any), at string, n int, s *remedy.Step, unknown string) {
	line("STEP %d: %s (%s %s)", n, print.Clean(s.Text, print.MaxSaying), s.Do, s.Kind)
	if s.Name != "" {
		line("  name:   %s", print.Clean(s.Name, print.MaxName))
	}
	switch {
	case s.Do == remedy.Ask:
		line("  A person takes it back%s", undoWords(s))
		line("")
		return
	case s.Undo == remedy.Irreversible:
		line("  It cannot be taken back.")
		line("")
		return
	case s.ID == "" && object.Read(s.Kind, "") == "" || strings.Contains(s.ID, "{"):
		line("  id:     not known yet: %s", unknown)
	case s.ID != "":
		line("  id:     %s", s.ID)
	}
	live := s.After
	if s.Do == remedy.Delete {
		live = nil
	}
	q, err := object.Back(s, live)
	if err == nil && !q.None() {
		line("  Graph:  %s %s%s", q.Method, at, q.Path)
		if len(q.Body) > 0 {
			line("          Content-Type: application/json")
			line("")
			for _, l := range strings.Split(indented(q.Body), "\n") {
				line("          %s", l)
			}
		}
		line("  PowerShell (lines as they are, none of them moved):")
		body := ""
		if len(q.Body) > 0 {
			body = " -ContentType 'application/json' -Body $body"
			line("$body = @'")
			line("%s", indented(q.Body))
			line("'@")
		}
		line("Invoke-MgGraphRequest -Method %s -Uri '%s%s'%s", q.Method, at, strings.ReplaceAll(q.Path, "'", "''"), body)
	}
	line("  Portal: %s", portal(s.Kind))
	if len(s.Before) > 0 {
		line("  The object as it was:")
		for _, l := range strings.Split(indented(s.Before), "\n") {
			line("          %s", l)
		}
	}
	line("")
}

func indented(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// portal says where in Microsoft's portal a kind is changed.
func portal(k remedy.Kind) string {
	const portal = "https://entra.microsoft.com > "
	switch k {
	case remedy.Policy:
		return portal + "Protection > Conditional Access > Policies (deleted ones: Deleted policies)"
	case remedy.Location:
		return portal + "Protection > Conditional Access > Named locations"
	case remedy.Strength:
		return portal + "Protection > Conditional Access > Authentication strengths"
	case remedy.Defaults:
		return portal + "Overview > Properties > Manage security defaults"
	case remedy.Methods, remedy.Method:
		return portal + "Protection > Authentication methods"
	case remedy.PerUserMFA:
		return portal + "Users > All users > Per-user MFA"
	case remedy.Group, remedy.Member:
		return portal + "Groups > All groups (deleted ones: Deleted groups)"
	case remedy.Role:
		return portal + "Roles & admins > All roles"
	case remedy.Credential:
		return portal + "Applications > App registrations > Certificates & secrets"
	case remedy.Principal, remedy.Grant, remedy.AppRole:
		return portal + "Applications > Enterprise applications > Properties, Permissions"
	case remedy.Authorization, remedy.ConsentRequests:
		return portal + "Applications > Enterprise applications > Consent and permissions"
	}
	return portal + "as the step says"
}
