package object

import (
	"slices"

	"partnerguard/internal/remedy"
)

// trap is what is known to go wrong, of which deeds; source is the row of
// contracts-2026-11 section 5.
type trap struct {
	kind   remedy.Kind
	do     []remedy.Do
	when   func(was, want map[string]any) bool
	words  string
	source string
}

var traps = []trap{
	{remedy.Policy, nil, nil, "Microsoft takes one request a second for Conditional Access, and what is written is seen everywhere after seconds to hours",
		"CA policy create/update/state"},
	{remedy.Policy, []remedy.Do{remedy.Update}, func(was, want map[string]any) bool { return !same(was["conditions"], want["conditions"]) },
		"the conditions are replaced as a whole: what somebody else writes there at the same moment is lost, so it is read right before",
		"CA policy create/update/state"},
	{remedy.Policy, []remedy.Do{remedy.Create, remedy.Update}, func(_, want map[string]any) bool { return want["state"] == "enabled" },
		"Microsoft refuses it while security defaults are on", "security defaults"},
	{remedy.Policy, []remedy.Do{remedy.Delete}, nil, "Microsoft keeps a deleted policy for 30 days", "CA delete/restore"},
	{remedy.Location, []remedy.Do{remedy.Delete}, nil, "it cannot be deleted while a policy names it, or while it is marked as trusted", "named locations"},
	{remedy.Defaults, nil, func(_, want map[string]any) bool { return want["isEnabled"] == true },
		"Microsoft refuses it while a Conditional Access policy is on", "security defaults"},
	{remedy.Defaults, nil, func(_, want map[string]any) bool { return want["isEnabled"] == false },
		"from this moment until the policies are on nobody is asked: both are done in one window; Microsoft may switch security defaults on again in a " +
			"tenant that meets its criteria", "security defaults"},
	{remedy.Methods, nil, nil, "it takes up to 20 minutes, at times an hour, until everybody has it", "auth methods policy"},
	{remedy.Method, nil, nil, "it takes up to 20 minutes, at times an hour, until everybody has it; whom it is for is replaced as a whole",
		"auth methods policy"},
	{remedy.Method, []remedy.Do{remedy.Create}, nil, "the name of an external method can never be changed", "contracts.md 3.8"},
	{remedy.PerUserMFA, nil, func(_, want map[string]any) bool { return want["perUserMfaState"] == "disabled" },
		"if no policy asks this account for MFA yet, a hole opens; its app passwords end", "per-user MFA"},
	{remedy.PerUserMFA, nil, nil, "for an administrator's account the role Privileged Authentication Administrator is needed", "per-user MFA"},
	{remedy.Role, nil, nil, "an assignment through a group or a schedule of PIM is ended there; Microsoft may show it as ended later", "role, PIM"},
	{remedy.Member, nil, nil, "Microsoft may show the membership minutes later, and policies follow it after that", "group member"},
	{remedy.Credential, nil, nil, "it does not come back: whatever signs in by it stops, and tokens that are out live on for up to an hour", "app credential"},
	{remedy.Principal, nil, nil, "tokens that are out live on until they expire", "disable SP"},
	{remedy.Grant, nil, nil, "tokens that are out live on until they expire", "consent"},
	{remedy.AppRole, nil, nil, "tokens that are out live on until they expire", "consent"},
}

// Traps are what is known to go wrong with a step, in sentences without a full stop.
func Traps(step *remedy.Step) (out []string) {
	was, _, _ := tree(step.Kind, step.Before)
	want, _, _ := tree(step.Kind, step.After)
	for _, t := range traps {
		if t.kind == step.Kind && (t.do == nil || slices.Contains(t.do, step.Do)) && (t.when == nil || t.when(was, want)) {
			out = append(out, t.words)
		}
	}
	return out
}
