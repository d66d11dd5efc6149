package authority

import (
	"encoding/json"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// judge asks signon, with the authentication contexts that the request names.
func judge(s *world.State, at *signon.Attempt, ask *oauth.ClaimsRequest) (signon.Ruling, []string) {
	contexts := ask.Contexts()
	at.AskMFA = at.AskMFA || ask.MFA()
	at.Controls = nil
	var blocked bool
	for _, c := range contexts {
		blocked = contextDemands(at, c) || blocked
	}
	r := signon.Judge(s, at)
	if blocked && r.Outcome != signon.Block {
		r.Outcome, r.Code, r.Reason = signon.Block, entra.CodeBlockedByPolicy, signon.Reason(entra.CodeBlockedByPolicy)
	}
	return r, contexts
}

// contextDemands reads what enabled policies ask of an authentication context.
// The access engine knows apps and actions, not contexts: block and the sign-in
// frequency are honoured, every other control counts as MFA.
func contextDemands(at *signon.Attempt, context string) (block bool) {
	for d := range at.Tenant.Policies.All() {
		var p struct {
			State      string `json:"state"`
			Conditions struct {
				Applications struct {
					Contexts []string `json:"includeAuthenticationContextClassReferences"`
				} `json:"applications"`
			} `json:"conditions"`
			Grant struct {
				Controls []string `json:"builtInControls"`
			} `json:"grantControls"`
			Session *access.SessionControls `json:"sessionControls"`
		}
		if json.Unmarshal(d.Raw, &p) != nil || p.State != "enabled" || !slices.Contains(p.Conditions.Applications.Contexts, context) {
			continue
		}
		at.AskMFA = true
		at.Controls = append(at.Controls, p.Session)
		block = block || slices.ContainsFunc(p.Grant.Controls, func(c string) bool { return strings.EqualFold(c, "block") })
	}
	return block
}

// refusal turns a ruling that is not Allow into the fault a client gets. For
// demands of Conditional Access it names the policies, to be replayed to the
// authorization endpoint (contracts.md sections 4.2, 4.5).
func refusal(r *signon.Ruling, t *target, issued string) *oauth.Fault {
	var f *oauth.Fault
	switch r.Code {
	case entra.CodeMustEnrollNow, entra.CodeMFARequired, entra.CodeMFAExpired, entra.CodeMustEnroll:
		f = oauth.Refuse(r.Code, t.res.AppID)
	case entra.CodeFrequencyExpired:
		f = oauth.Refuse(r.Code, issued, int(r.Frequency.Seconds()))
	default:
		f = oauth.Refuse(r.Code)
	}
	if f.Word == "interaction_required" || r.Code == entra.CodeFrequencyExpired {
		f.Claims = policyClaims(r)
	}
	return f
}

// policyClaims is the claims member: the Conditional Access policies that were
// not met (K: the name capolids).
func policyClaims(r *signon.Ruling) string {
	var ids []string
	for _, p := range r.Applied {
		if p.Result == "failure" {
			ids = append(ids, p.ID)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	b, _ := json.Marshal(map[string]any{"access_token": map[string]any{"capolids": map[string]any{"essential": true, "values": ids}}})
	return string(b)
}

// logSignIn writes the row of an attempt; a delegated administrator's goes into
// the customer's log and, K, into the partner's.
func logSignIn(s *world.State, at *signon.Attempt, r *signon.Ruling, code int, uti string) {
	id, correlation := world.NewGUID(), at.Correlation
	if correlation == "" {
		correlation = world.NewGUID()
	}
	put := func(t *world.Tenant) {
		row := signon.Row(s, at, r, code)
		row.ID, row.CorrelationID, row.UniqueToken = id, correlation, uti
		if at.AOBO && t != at.Home {
			signon.Technician(row, at.Home, t)
		}
		s.LogSignIn(t, row)
	}
	put(at.Tenant)
	if at.AOBO {
		put(at.Home)
	}
}

// logRefused writes the row of a sign-in that failed before any policy was
// asked.
func logRefused(s *world.State, at *signon.Attempt, code int, steps ...world.Step) {
	c := *at
	c.Steps = append(slices.Clone(c.Steps), steps...)
	if c.Steps == nil {
		c.Steps = []world.Step{}
	}
	logSignIn(s, &c, &signon.Ruling{Outcome: signon.Block, CAStatus: "notApplied", Requirements: []world.Requirement{}, Applied: []world.AppliedPolicy{}},
		code, "")
}

// note remembers when a user last signed in.
func note(s *world.State, sub subject, interactive bool) {
	now := s.Clock.Now()
	change := func(t *world.Tenant, id string) {
		t.Users.Change(id, func(u *world.User) {
			u.LastSuccess = now
			if interactive {
				u.LastInteractive = now
			} else {
				u.LastNonInteractive = now
			}
		})
	}
	change(sub.home, sub.self.ID)
	if sub.user != sub.self {
		change(sub.tenant, sub.user.ID)
	}
	s.Dirty()
}

// step makes an authentication step of the log.
func (q *request) step(method, detail string, ok bool, result, requirement string) world.Step {
	st := world.Step{At: world.Stamp{Time: q.now}, Method: method, Succeeded: ok, Result: result, Requirement: requirement}
	if detail != "" {
		st.Detail = &detail
	}
	return st
}

const (
	primary   = "Primary authentication"
	secondary = "Multifactor authentication"
)
