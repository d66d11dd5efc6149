package directory

import (
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// PerUserMFA is one row of a list of per-user MFA states: whose, and which
// (disabled, enabled, enforced). It says nothing else of the user.
type PerUserMFA struct {
	ID                string          `json:"id"`
	UserPrincipalName string          `json:"userPrincipalName"`
	State             lenient.String  `json:"perUserMfaState"`
	Source            evidence.Source `json:"-"`
}

// AddPerUserMFA keeps the state under id and UPN, whichever are given. No user
// is made of it. Where two lists disagree the state is not known.
func (d *Directory) AddPerUserMFA(r PerUserMFA) {
	state := strings.ToLower(string(r.State))
	if state == "" {
		return
	}
	if d.perUser == nil {
		d.perUser = map[string]string{}
	}
	for _, key := range []string{strings.ToLower(r.ID), strings.ToLower(r.UserPrincipalName)} {
		if key == "" {
			continue
		}
		if old, here := d.perUser[key]; here && old != state {
			state = ""
		}
		d.perUser[key] = state
	}
}

// PerUserMFAOf is the per-user MFA state of a user: its own, or that of a list
// that names it by id or UPN. It is "" when it is not known, and when its own
// state and the list's differ.
func (d *Directory) PerUserMFAOf(u *User) string {
	own := strings.ToLower(string(u.PerUserMFAState))
	for _, key := range []string{strings.ToLower(u.ID), strings.ToLower(u.UserPrincipalName)} {
		state, here := d.perUser[key]
		switch {
		case key == "" || !here:
		case own != "" && own != state:
			return ""
		case own == "":
			return state
		}
	}
	return own
}
