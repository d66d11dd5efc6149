package find

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// What lets accounts consent to whatever an app asks for (Microsoft Graph,
// permissionGrantPolicy), and what is left to them: nothing.
const openGrant = "managepermissiongrantsforself.microsoft-user-default-legacy"

// oldCredential is the age at which a credential is to be replaced (docs/practices.md).
const oldCredential = 2 * 365 * 24 * time.Hour

// single is the one object of a kind as it was read.
func (b *builder) single(kind remedy.Kind) (m map[string]any, place *remedy.Place, ok bool) {
	r, ok := b.Objects[kind][""]
	if !ok || json.Unmarshal(r.Raw, &m) != nil {
		return nil, nil, false
	}
	return m, r.Place, true
}

// authorization is the authorization policy, and what accounts may do by themselves; an
// error says what to read.
func (b *builder) authorization() (m, own map[string]any, place *remedy.Place, err error) {
	m, place, ok := b.single(remedy.Authorization)
	if ok {
		own, ok = m["defaultUserRolePermissions"].(map[string]any)
	}
	if !ok {
		return nil, nil, nil, problem.New(problem.NotFound, "what accounts may do by themselves was not read").
			WithHint("%s", evidence.ReadingOf(evidence.AuthorizationPolicy))
	}
	return m, own, place, nil
}

// consent lets accounts consent to no app by themselves, and turns the admin consent
// workflow on: by itself where somebody is named who answers, else a person names them.
func (b *builder) consent() error {
	b.serve("P11")
	m, own, place, err := b.authorization()
	if err != nil {
		return err
	}
	list, ok := own["permissionGrantPoliciesAssigned"].([]any)
	if !ok {
		return problem.New(problem.NotFound, "what accounts may consent to was not read").WithHint("%s", evidence.ReadingOf(evidence.AuthorizationPolicy))
	}
	after := clone(m)
	mine, _ := down(after, "defaultUserRolePermissions")
	mine["permissionGrantPoliciesAssigned"] = slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		s, _ := v.(string)
		return strings.EqualFold(s, openGrant)
	})
	s := remedy.Step{Do: remedy.Update, Kind: remedy.Authorization, Name: "Authorization policy", Serves: b.plan.Serves, Place: place,
		Text: "let accounts consent to no app by themselves any more"}
	if err := b.change(&s, m, after); err != nil {
		return err
	}
	return b.workflow()
}

// workflow turns the admin consent workflow on.
func (b *builder) workflow() error {
	m, place, read := b.single(remedy.ConsentRequests)
	if read && m["isEnabled"] == true {
		return nil
	}
	if reviewers, _ := m["reviewers"].([]any); read && len(reviewers) > 0 {
		after := clone(m)
		after["isEnabled"] = true
		s := remedy.Step{Do: remedy.Update, Kind: remedy.ConsentRequests, Name: "Admin consent workflow", Serves: b.plan.Serves, Place: place,
			Text: "let accounts ask for an app: the admin consent workflow is turned on"}
		return b.change(&s, m, after)
	}
	b.ask("Admin consent workflow", "name who answers requests for apps, and turn the admin consent workflow on", []string{
		"in the Entra admin centre open Enterprise apps, Consent and permissions, Admin consent settings",
		"choose Yes for \"Users can request admin consent to apps they are unable to consent to\"",
		"name two reviewers who may grant it (Cloud Application Administrator at least)", "save"}, "GET /policies/adminConsentRequestPolicy: isEnabled is true")
	return nil
}

// guests lets administrators and guest inviters alone invite, and shows guests the least.
func (b *builder) guests() error {
	m, _, place, err := b.authorization()
	if err != nil {
		return err
	}
	after := clone(m)
	if s, _ := m["allowInvitesFrom"].(string); s != "none" {
		after["allowInvitesFrom"] = "adminsAndGuestInviters"
	}
	after["guestUserRoleId"] = entra.RoleRestrictedGuestUser
	s := remedy.Step{Do: remedy.Update, Kind: remedy.Authorization, Name: "Authorization policy", Serves: b.plan.Serves, Place: place,
		Text: "let administrators and guest inviters alone invite guests, and let guests see of the directory what is their own"}
	return b.change(&s, m, after)
}

// apps removes credentials that have ended, and switches off applications that nobody uses.
// A credential that is old and not ended may be in use: a person replaces it first.
func (b *builder) apps() error {
	b.serve("P12")
	var old []string
	list := b.Objects[remedy.Credential]
	for _, id := range slices.Sorted(maps.Keys(list)) {
		var c struct {
			KeyID string    `json:"keyId"`
			Name  string    `json:"displayName"`
			App   string    `json:"app"`
			Start time.Time `json:"startDateTime"`
			End   time.Time `json:"endDateTime"`
		}
		if json.Unmarshal(list[id].Raw, &c) != nil || !remedy.Credential.IsID(id) {
			continue
		}
		name := "the credential " + cmp.Or(c.Name, c.KeyID) + " of " + c.App
		switch {
		case !c.End.IsZero() && c.End.Before(b.Head.AsOf):
			var m map[string]any
			_ = json.Unmarshal(list[id].Raw, &m) // it was read above
			delete(m, "app")
			before, err := canonical(remedy.Credential, m)
			if err != nil {
				continue
			}
			b.plan.Steps = append(b.plan.Steps, remedy.Step{Do: remedy.Delete, Kind: remedy.Credential, ID: id, Name: cmp.Or(c.Name, c.KeyID) + " of " + c.App,
				Text: "remove " + name + ", which ended on " + c.End.UTC().Format(time.DateOnly), Before: before, Serves: b.plan.Serves, Place: list[id].Place})
		case !c.Start.IsZero() && b.Head.AsOf.Sub(c.Start) > oldCredential:
			old = append(old, "give "+c.App+" a new credential in the place of "+cmp.Or(c.Name, c.KeyID)+" of "+c.Start.UTC().Format(time.DateOnly)+
				", see that it signs in by it, then remove the old one")
		}
	}
	for _, a := range b.Apps {
		b.plan.Steps = append(b.plan.Steps, remedy.Step{Do: remedy.Update, Kind: remedy.Principal, ID: strings.ToLower(a.ID), Name: a.Name,
			Text:   "switch " + a.Name + " off, which " + a.Why,
			Before: []byte(`{"accountEnabled":true}`), After: []byte(`{"accountEnabled":false}`), Serves: b.plan.Serves})
	}
	if len(old) > 0 {
		const most = 100
		if more := len(old) - most; more > 0 {
			old = append(old[:most], "plan once more: there are others")
		}
		b.ask("Old credentials", "replace credentials that are older than two years", old, "partnerguard practices P12")
	}
	return nil
}
