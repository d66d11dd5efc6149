package access

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
