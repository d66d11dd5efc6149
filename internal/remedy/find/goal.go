package find

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// policies plans what somebody proposes: in the place of policies of the same id, or new.
// One that takes protection away is no matter of stages, and comes last.
func (b *builder) policies(list []json.RawMessage) error {
	if b.Tenant.Defaults.On() {
		if err := b.defaultsOff(); err != nil {
			return err
		}
	}
	for _, raw := range list {
		read, err := access.ParsePolicies(raw, 1)
		if err != nil {
			return err
		}
		p := read[0]
		m, whole := graphs(raw)
		if !whole {
			m = asKnown(p)
		}
		at := slices.IndexFunc(b.Tenant.Policies, func(o *access.Policy) bool { return p.ID != "" && strings.EqualFold(o.ID, p.ID) })
		if at < 0 {
			delete(m, "id")
			if b.has(m) {
				continue
			}
			if err := b.make(m, p.DisplayName); err != nil {
				return err
			}
			continue
		}
		if err := b.replace(b.Tenant.Policies[at], p, m); err != nil {
			return err
		}
	}
	slices.SortStableFunc(b.plan.Steps, func(x, y remedy.Step) int { return last(&x) - last(&y) })
	return nil
}

// last puts what is not staged and no switch of security defaults behind the rest.
func last(s *remedy.Step) int {
	if s.Staged || s.Kind == remedy.Defaults {
		return 0
	}
	return 1
}

// replace plans a policy in the place of another of its id.
func (b *builder) replace(was, then *access.Policy, m map[string]any) error {
	old, known, place := b.before(was)
	s := remedy.Step{Do: remedy.Update, Kind: remedy.Policy, ID: strings.ToLower(was.ID), Name: was.DisplayName, Place: place, Modified: was.Modified.Time,
		Text: "change the policy \"" + was.DisplayName + `"`, Staged: b.stricter(was, then)}
	if !known {
		s.Traps = []string{readLive}
	}
	var err error
	if s.Before, err = canonical(remedy.Policy, old); err == nil {
		s.After, err = canonical(remedy.Policy, m)
	}
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the policy %.80q cannot be written as Graph would", was.DisplayName)
	}
	if string(s.Before) != string(s.After) {
		b.plan.Steps = append(b.plan.Steps, s)
	}
	return nil
}

// stricter reports a policy that surely opens nothing where it stands in another's place:
// such a one goes through stages.
func (b *builder) stricter(was, then *access.Policy) bool {
	if !was.MayBeEnforced() {
		return true
	}
	if !then.Enforced() {
		return false
	}
	after := *b.Tenant
	after.Policies = slices.Clone(b.Tenant.Policies)
	after.Policies[slices.Index(after.Policies, was)] = then
	e := access.Compile(&after)
	for _, name := range []string{"mfa-every-sign-in", "phishing-resistant-admins"} {
		q, _ := access.FindQuestion(name)
		list, whole, err := access.Opened(b.today, e, q)
		if err != nil || !whole || len(list) > 0 {
			return false
		}
	}
	return true
}

// perUser switches per-user MFA off: Microsoft's way is policies, and what is left of it
// lets app passwords live.
func (b *builder) perUser() error {
	b.serve("app-passwords")
	for i := range b.Tenant.Users {
		u := &b.Tenant.Users[i]
		if s := strings.ToLower(u.PerUserMFA); s != "enabled" && s != "enforced" {
			continue
		}
		b.plan.Steps = append(b.plan.Steps, remedy.Step{Do: remedy.Update, Kind: remedy.PerUserMFA, ID: strings.ToLower(u.ID), Name: u.Name,
			Serves: b.plan.Serves, Text: "switch per-user MFA of " + u.Name + " off, which ends its app passwords",
			Before: []byte(`{"perUserMfaState":"` + strings.ToLower(u.PerUserMFA) + `"}`), After: []byte(`{"perUserMfaState":"disabled"}`)})
	}
	return nil
}

// external lets everybody use the External MFA methods that are set up.
func (b *builder) external() error {
	b.serve("third-party-mfa-claim")
	found := false
	for _, id := range slices.Sorted(maps.Keys(b.Objects[remedy.Method])) {
		r := b.Objects[remedy.Method][id]
		var m map[string]any
		if json.Unmarshal(r.Raw, &m) != nil {
			continue
		}
		kind, _ := m["@odata.type"].(string)
		if !strings.HasSuffix(strings.ToLower(kind), "externalauthenticationmethodconfiguration") {
			continue
		}
		found = true
		after := clone(m)
		after["state"] = "enabled"
		after["includeTargets"] = []any{map[string]any{"id": "all_users", "targetType": "group", "isRegistrationRequired": false}}
		name, _ := m["displayName"].(string)
		s := remedy.Step{Do: remedy.Update, Kind: remedy.Method, ID: id, Name: name, Serves: b.plan.Serves, Text: "let everybody use \"" + name + `"`, Place: r.Place}
		var err error
		if s.Before, err = canonical(remedy.Method, m); err == nil {
			s.After, err = canonical(remedy.Method, after)
		}
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "the method %.80q cannot be written as Graph would", name)
		}
		if string(s.Before) != string(s.After) {
			b.plan.Steps = append(b.plan.Steps, s)
		}
	}
	if !found {
		return problem.New(problem.NotFound, "no External MFA is set up in what was read").
			WithHint("partnerguard mfa register-with-entra --plan sets up our own; with another's, read /policies/authenticationMethodsPolicy first")
	}
	return nil
}
