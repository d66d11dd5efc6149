package access

import (
	"fmt"
	"slices"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

// grants visits every grant of up to three controls, with and without a
// strength, joined both ways.
func grants(visit func(name string, g *GrantControls, asked []Control)) {
	words := []string{"block", "mfa", "passwordChange", "riskRemediation", "compliantDevice", "domainJoinedDevice", "approvedApplication",
		"compliantApplication", "neverHeardOf"}
	strengths := []*Strength{nil, {}, {ID: entra.StrengthMFA}, {ID: entra.StrengthPhishing},
		{AllowedCombinations: lenient.List[lenient.String]{Items: []lenient.String{"password"}}}}
	for set := range 1 << (len(words) + 2) {
		g := &GrantControls{}
		for i, w := range words {
			if set>>i&1 == 1 {
				g.BuiltInControls = append(g.BuiltInControls, w)
			}
		}
		if set>>len(words)&1 == 1 {
			g.CustomFactors = lenient.Strings{"a factor"}
		}
		if set>>len(words)>>1 == 1 {
			g.TermsOfUse = lenient.Strings{"terms"}
		}
		asked := g.controls()
		if len(asked) > 3 {
			continue
		}
		for i, s := range strengths {
			for _, op := range []lenient.String{"OR", "AND"} {
				g.Operator, g.Strength = op, s
				visit(fmt.Sprintf("%s %v %v %v, strength %d", op, g.BuiltInControls, g.CustomFactors, g.TermsOfUse, i), g, asked)
			}
		}
	}
}

// TestProofBelievesNoMoreThanIsDemanded compares what the proof takes a grant to
// come down to with what it demands of a sign-in: the partner cloud lives by the
// second. Where they differ the proof believes less.
func TestProofBelievesNoMoreThanIsDemanded(t *testing.T) {
	t.Parallel()
	nothing, everything := func(Control) bool { return false }, func(Control) bool { return true }
	n := 0
	grants(func(name string, g *GrantControls, asked []Control) {
		n++
		d, least, most := demandOf(g, nil), g.Demand(nothing), g.Demand(everything)
		if d.block != most.Block || least.Block != most.Block {
			t.Errorf("%s: the proof says block: %v, the demand %v", name, d.block, most.Block)
		}
		asks := func(m Demand) bool { return m.Block || !m.Open && (m.MFA || m.Strength != nil) }
		if d.mfa && !d.mfaUnknown && !d.hasAlternative() && !(asks(least) && asks(most)) {
			t.Errorf("%s: the proof relies on MFA, and it is not demanded", name)
		}
		// A strength that says nothing is no demand to the proof; to a sign-in it is
		// one that nobody meets.
		if d.refuses && least.Unmet == NoControl && least.Strength == nil {
			t.Errorf("%s: the proof relies on a refusal, and nothing is missed", name)
		}
		// The other way round a change of password alone differs: it demands MFA,
		// and proves nothing.
		if !d.mfa && !d.block && asks(most) && g.Strength == nil && !slices.Contains(asked, ControlPasswordChange) {
			t.Errorf("%s: MFA is demanded, and the proof knows nothing of it", name)
		}
	})
	if n < 1000 {
		t.Fatalf("only %d grants were compared", n)
	}
}

func TestDemandOfASignIn(t *testing.T) {
	t.Parallel()
	compliant := func(c Control) bool { return c == ControlCompliantDevice }
	if d := (*GrantControls)(nil).Demand(compliant); d != (Demand{Open: true}) {
		t.Errorf("no grant demands %+v", d)
	}
	for name, c := range map[string]struct {
		grant GrantControls
		want  Demand
	}{
		"block":                    {GrantControls{BuiltInControls: lenient.Strings{"Block"}}, Demand{Block: true}},
		"mfa or a device it has":   {GrantControls{Operator: "OR", BuiltInControls: lenient.Strings{"mfa", "compliantDevice"}}, Demand{MFA: true, Open: true}},
		"mfa or a device it lacks": {GrantControls{Operator: "OR", BuiltInControls: lenient.Strings{"mfa", "domainJoinedDevice"}}, Demand{MFA: true}},
		"mfa and a device it has":  {GrantControls{Operator: "AND", BuiltInControls: lenient.Strings{"mfa", "compliantDevice"}}, Demand{MFA: true}},
		"mfa and a device it lacks": {GrantControls{Operator: "and", BuiltInControls: lenient.Strings{"mfa", "domainJoinedDevice"}},
			Demand{MFA: true, Unmet: ControlDomainJoined}},
		"the first that it lacks": {GrantControls{Operator: "AND", BuiltInControls: lenient.Strings{"approvedApplication", "domainJoinedDevice"}},
			Demand{Unmet: ControlApprovedApp}},
		"a new password": {GrantControls{Operator: "OR", BuiltInControls: lenient.Strings{"passwordChange"}},
			Demand{MFA: true, PasswordChange: true}},
		"terms":              {GrantControls{Operator: "OR", TermsOfUse: lenient.Strings{"t"}}, Demand{Unmet: ControlTermsOfUse}},
		"a word of tomorrow": {GrantControls{Operator: "OR", BuiltInControls: lenient.Strings{"telepathy"}}, Demand{Unmet: ControlUnknown}},
	} {
		if got := c.grant.Demand(compliant); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
