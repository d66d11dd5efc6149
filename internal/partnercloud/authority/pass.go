package authority

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// A Temporary Access Pass counts as two factors: in place of the password, and where
// a second factor is asked.

const methodPass = "Temporary Access Pass"

// usablePass finds the pass that a user can sign in with now, or nil. It is called
// under the world's lock.
func usablePass(q *request, home *world.Tenant, u *world.User) *world.Method {
	m := u.Method(world.MethodPass)
	if m == nil || m.Pass.Reason(q.now) != "" || !passAllowed(home, u) {
		return nil
	}
	return m
}

// passAllowed reports that the tenant's policy lets a user sign in with a pass.
func passAllowed(home *world.Tenant, u *world.User) bool {
	d := home.MethodConfigs.Get("TemporaryAccessPass")
	if d == nil {
		return false
	}
	type target struct {
		ID string `json:"id"`
	}
	var c struct {
		State   string   `json:"state"`
		Include []target `json:"includeTargets"`
		Exclude []target `json:"excludeTargets"`
	}
	if json.Unmarshal(d.Raw, &c) != nil || c.State != "enabled" {
		return false
	}
	who := append(home.GroupsOf(u.ID), u.ID, "all_users")
	in := func(list []target) bool {
		return slices.ContainsFunc(list, func(x target) bool {
			return slices.ContainsFunc(who, func(w string) bool { return strings.EqualFold(w, x.ID) })
		})
	}
	return (c.Include == nil || in(c.Include)) && !in(c.Exclude)
}

// overPasses reports a user whose methods are passes that are over: nothing is left
// to prove anything with.
func overPasses(q *request, u *world.User) bool {
	return !slices.ContainsFunc(u.Methods, func(m world.Method) bool { return m.Type != world.MethodPass || m.Pass.Reason(q.now) == "" })
}

// usePass takes a pass, as second factor or, first, in place of the password.
func (a *Authority) usePass(q *request, f *flow, st *stage, form url.Values, first bool) {
	home, u := st.sub.home, st.sub.self
	key := "pass\x00" + home.ID + "\x00" + u.ID
	requirement := secondary
	if first {
		requirement = primary
	}
	a.w.Read(func(s *world.State) {
		code := 0
		m := usablePass(q, home, home.Users.Get(u.ID))
		switch {
		case a.guard.locked(q.now, key):
			code = entra.CodeLocked
		case m == nil || !m.Pass.Is(m.ID, strings.TrimSpace(form.Get("pass"))):
			code = entra.CodePassWrong
			if a.guard.wrong(q.now, key) {
				code = entra.CodeLocked
			}
		}
		if code != 0 {
			f.say = "That pass did not work. Check it, or ask your administrator for another."
			if code == entra.CodeLocked {
				f.say = "Too many wrong passes. Wait a minute, then try again."
			}
			if first {
				logRefused(s, f.bare(q, st), code, q.step(methodPass, "", false, "Authentication failed", primary))
			} else {
				f.failed(s, q, st, code, methodPass)
			}
			return
		}
		a.guard.right(key)
		combo := m.Pass.Combination()
		if m.Pass.Once {
			home.Users.Change(u.ID, func(u *world.User) { spend(u, q, m.ID) })
			s.Dirty()
		}
		if first {
			f.proof = proof{home: home.ID, user: u.ID, authTime: q.now, sid: world.NewGUID()}
			f.steps = nil
		}
		f.prove(q, "otp")
		f.proof.combos = append(slices.Clone(f.proof.combos), combo)
		f.steps = append(f.steps, q.step(methodPass, "", true, "Correct password", requirement))
		if first {
			f.steps = append(f.steps, q.step(methodPass, "", true, "MFA requirement satisfied by claim in the token", secondary))
		}
	})
}

// spend notes the one use of a pass for one use.
func spend(u *world.User, q *request, id string) {
	u.Methods = slices.Clone(u.Methods)
	for i := range u.Methods {
		if u.Methods[i].ID == id && u.Methods[i].Pass != nil {
			p := *u.Methods[i].Pass
			p.Used = q.now
			u.Methods[i].Pass = &p
		}
	}
}
