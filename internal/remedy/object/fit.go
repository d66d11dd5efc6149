package object

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// unfit says what of an object Graph would refuse, or keep and not follow.
func unfit(kind remedy.Kind, m map[string]any) (out []string) {
	switch {
	case m == nil:
	case kind == remedy.Policy:
		out = unfitPolicy(m)
	case kind == remedy.Location:
		out = missing(m, "@odata.type", "displayName")
	case kind == remedy.Strength:
		out = missing(m, "displayName", "allowedCombinations")
	case kind == remedy.Defaults:
		out = missing(m, "isEnabled")
	case kind == remedy.Method:
		out = missing(m, "@odata.type")
	case kind == remedy.PerUserMFA:
		out = missing(m, "perUserMfaState")
	case kind == remedy.Principal:
		out = missing(m, "accountEnabled")
	case kind == remedy.Group:
		if out = missing(m, "displayName", "mailNickname", "securityEnabled"); m["isAssignableToRole"] == true {
			out = append(out, "a group that roles are assigned to is not made by a plan")
		}
	case kind == remedy.Member:
		out = missing(m, "group", "member")
	case kind == remedy.Role:
		out = missing(m, "principalId", "roleDefinitionId", "directoryScopeId")
	case kind == remedy.AppRole:
		out = missing(m, "principalId", "resourceId", "appRoleId")
	case kind == remedy.Grant:
		out = missing(m, "clientId", "consentType", "resourceId", "scope")
	}
	return out
}

// newlyUnfit is unfit, without what was so before and is not the step's doing.
func newlyUnfit(kind remedy.Kind, was, want map[string]any) []string {
	had := unfit(kind, was)
	return slices.DeleteFunc(unfit(kind, want), func(s string) bool { return slices.Contains(had, s) })
}

func missing(m map[string]any, names ...string) (out []string) {
	for _, n := range names {
		if m[n] == nil {
			out = append(out, "it has no "+n)
		}
	}
	return out
}

func unfitPolicy(m map[string]any) []string {
	out := missing(m, "displayName", "state", "conditions")
	grant, asks := m["grantControls"].(map[string]any)
	session, holds := m["sessionControls"].(map[string]any)
	if asks && grant["builtInControls"] == nil && grant["customAuthenticationFactors"] == nil && grant["termsOfUse"] == nil &&
		grant["authenticationStrength"] == nil {
		// Graph stores null for it or keeps it, and tools that write it never come to an end (azuread#1150).
		out = append(out, "its grant controls name no control; one that asks for nothing has none")
	}
	if !asks && !holds {
		out = append(out, "it has neither grant controls nor session controls")
	}
	for _, name := range []string{"signInFrequency", "persistentBrowser", "cloudAppSecurity", "applicationEnforcedRestrictions", "secureSignInSession"} {
		if c, is := session[name].(map[string]any); is && c["isEnabled"] != true { // Graph takes it and does not follow it (azuread#587)
			out = append(out, "its session control "+name+" does not say isEnabled: true, and would not be followed")
		}
	}
	if f, is := session["signInFrequency"].(map[string]any); is && f["frequencyInterval"] != "everyTime" && (f["value"] == nil || f["type"] == nil) {
		out = append(out, "its sign-in frequency has no value or no type")
	}
	conditions, _ := m["conditions"].(map[string]any)
	return append(out, missing(conditions, "applications", "clientAppTypes")...)
}

// Check says what of a plan's objects could not be: a deed that the kind does not have, an
// id of another form, an object that is not of its kind or not in canonical form.
func Check(p *remedy.Plan) error {
	for i := range p.Steps {
		if err := CheckStep(&p.Steps[i]); err != nil {
			return err
		}
	}
	return nil
}

// CheckStep is [Check] of one step.
func CheckStep(s *remedy.Step) error {
	bad := func(hint, format string, args ...any) error {
		return problem.New(problem.BadInput, "step %d: %s", s.N, fmt.Sprintf(format, args...)).WithHint("%s", hint)
	}
	const again = "have the plan made anew"
	k := kinds[s.Kind]
	switch {
	case k == nil:
		return bad(again, "%.60q is no kind of object", string(s.Kind))
	case k.do[s.Do] == "":
		return bad(again, "%.20q is nothing that a plan does to a %s", string(s.Do), k.words)
	case s.Undo != k.do[s.Do]:
		return bad(again, "it is taken back by %q, and not by %.20q", k.do[s.Do], s.Undo)
	case s.Kind == remedy.Person:
		return nil
	case s.Do != remedy.Create && !k.one && !s.Kind.IsID(s.ID):
		return bad(again, "%.80q is no id of a %s", s.ID, k.words)
	case s.Do == remedy.Create && s.ID != "":
		return bad("leave the id out", "it has an id, and needs none")
	case (s.Do == remedy.Create) != (len(s.Before) == 0):
		return bad(again, "what is there must be said as it was, and what is made was not there")
	case (s.Do == remedy.Delete) != (len(s.After) == 0):
		return bad(again, "what is wanted must be said, and what is taken away is wanted no more")
	}
	for name, o := range map[string]remedy.Object{"before": s.Before, "after": s.After} {
		if len(o) == 0 {
			continue
		}
		c, err := Canonical(s.Kind, o)
		if err != nil {
			return bad(again, "%s: %s", name, err.Error())
		}
		sorted, err := decode(o)
		if err != nil || string(write(sorted)) != string(c) {
			return bad("write it as `partnerguard remedy plan` does", "%s is not in canonical form", name)
		}
	}
	if s.Do != remedy.Delete {
		was, _, _ := tree(s.Kind, s.Before)
		want, _, _ := tree(s.Kind, s.After)
		if odd := newlyUnfit(s.Kind, was, want); len(odd) > 0 {
			return bad("mend the object, or have the plan made anew", "%s", strings.Join(odd, ", "))
		}
	}
	return nil
}
