package world

import (
	"encoding/json"
	"slices"
	"strings"
)

// SelfConsent stands before a consent policy that is assigned to every user.
const SelfConsent = "ManagePermissionGrantsForSelf."

// authorization is what of authorizationPolicy decides something here.
type authorization struct {
	Invites string         `json:"allowInvitesFrom"`
	Default map[string]any `json:"defaultUserRolePermissions"`
}

func (t *Tenant) authorization() (a authorization) {
	if d := t.Settings.Get("authorizationPolicy"); d != nil {
		_ = json.Unmarshal(d.Raw, &a)
	}
	return a
}

// MembersMay reports a permission that authorizationPolicy gives to every member,
// such as allowedToCreateApps. It does until it was taken away.
func (t *Tenant) MembersMay(what string) bool {
	v, said := t.authorization().Default[what].(bool)
	return v || !said
}

// InvitesFrom says who may invite guests: everyone until it was changed.
func (t *Tenant) InvitesFrom() string {
	if v := t.authorization().Invites; v != "" {
		return v
	}
	return "everyone"
}

// UserConsent says what users may consent to for themselves: "all" that needs no
// administrator, "low" for what is harmless of the tenant's own apps, or "none".
func (t *Tenant) UserConsent() string {
	list, said := t.authorization().Default["permissionGrantPoliciesAssigned"].([]any)
	if !said {
		return "all"
	}
	best := "none"
	for _, v := range list {
		name, _ := v.(string)
		switch id, own := strings.CutPrefix(name, SelfConsent); {
		case own && slices.Contains([]string{"microsoft-user-default-legacy", "microsoft-user-default-recommended"}, id):
			return "all"
		case own && id == "microsoft-user-default-low":
			best = "low"
		}
	}
	return best
}
