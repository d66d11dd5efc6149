package access

import "strings"

// TakenBy says of accounts, by their index in [Tenant.Users], whether the user clauses of a
// policy, by its index in [Tenant.Policies], surely take them.
func (e *Engine) TakenBy(policy int) func(user int) bool {
	at := -1
	for i, p := range e.policies {
		if p == e.tenant.Policies[policy] {
			at = i
			break
		}
	}
	return func(user int) bool { return at >= 0 && e.user(user).sure.has(at) }
}

// SubjectID is the id of an account by its index, those past [Tenant.Users] included.
func (e *Engine) SubjectID(i int) string { return e.subject(i).ID }

// AppLabel is what stands for an app, a suite or an action instead of its id; the id where
// only the tenant may know a name.
func AppLabel(id string) string {
	if s := appLabel(strings.ToLower(id)); s != "" {
		return s
	}
	return id
}

// Sessions reports a policy with session controls, of any kind.
func (p *Policy) Sessions() bool { return p.SessionControls != nil }
