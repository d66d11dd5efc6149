package export

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/remedy"
)

// refusedWords are values that Graph knows and the provider refuses (seen in its source,
// 3.9.0): by where they stand.
var refusedWords = map[string]string{
	"grantControls.builtInControls":                  "riskRemediation",
	"conditions.authenticationFlows.transferMethods": "none",
	"allowedCombinations":                            "qrCodePin",
}

// limits notes what the provider refuses of an object that it has attributes for, or
// would do otherwise, without a word (3.9.0).
func (w *writer) limits(s *remedy.Step, want map[string]any) {
	for at, word := range refusedWords {
		v, _ := deep(want, at)
		if l, _ := v.([]any); slices.Contains(l, any(word)) || v == word {
			w.odd = append(w.odd, at+" "+word)
		}
	}
	if s.Kind != remedy.Policy {
		return
	}
	need := func(at string, any ...string) int {
		n := 0
		for _, name := range any {
			if _, has := deep(want, at+"."+name); has {
				n++
			}
		}
		return n
	}
	if need("conditions.applications", "includeApplications", "includeUserActions") != 1 {
		w.odd = append(w.odd, "conditions.applications with other than one of includeApplications and includeUserActions")
	}
	if need("conditions.users", "includeUsers", "includeGroups", "includeRoles", "includeGuestsOrExternalUsers") == 0 {
		w.odd = append(w.odd, "conditions.users that include nobody")
	}
	if _, has := want["grantControls"]; has && need("grantControls", "builtInControls", "authenticationStrength", "termsOfUse") == 0 {
		w.odd = append(w.odd, "grantControls of others alone")
	}
	const every = "sessionControls.signInFrequency"
	if v, _ := deep(want, every+".frequencyInterval"); v == "everyTime" {
		if need("sessionControls", "applicationEnforcedRestrictions", "disableResilienceDefaults") > 0 { // it leaves them out then
			w.odd = append(w.odd, "sessionControls besides a sign-in frequency of every time")
		}
	}
	w.taken(s, want)
}

// taken notes what a change takes away and the provider would leave: it sends nothing
// for it, or what its state has of before.
func (w *writer) taken(s *remedy.Step, want map[string]any) {
	var was map[string]any
	if s.Do != remedy.Update || json.Unmarshal(s.Before, &was) != nil {
		return
	}
	for _, at := range []string{"conditions.insiderRiskLevels", "conditions.clientApplications", "sessionControls.signInFrequency"} {
		_, had := deep(was, at)
		_, has := deep(want, at)
		if _, around := deep(want, "sessionControls"); strings.HasPrefix(at, "session") && !around {
			continue // all of them go at once
		}
		if had && !has {
			w.odd = append(w.odd, "taking away "+at)
		}
	}
}

// deep is the member at a path of members.
func deep(m map[string]any, at string) (any, bool) {
	name, rest, more := strings.Cut(at, ".")
	v, has := m[name]
	if !more {
		return v, has
	}
	inner, _ := v.(map[string]any)
	return deep(inner, rest)
}

// folded makes one step of those that change one object: a configuration says it once,
// and a second import of it is refused.
func folded(steps []remedy.Step) (out []remedy.Step) {
	at := map[string]int{}
	for i := range steps {
		s := steps[i]
		id := string(s.Kind) + " " + s.ID
		if s.Do == remedy.Create {
			id = string(s.Kind) + " {" + s.Key + "}"
		}
		if first, had := at[id]; had && s.Do == remedy.Update {
			out[first].After = s.After
			out[first].Text += fmt.Sprintf("; and step %d: %s", s.N, s.Text)
			continue
		}
		at[id] = len(out)
		out = append(out, s)
	}
	return out
}
