package assess

import (
	"fmt"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/vouch"
)

// Vouch is what somebody vouches for or leaves out, and what came of it.
type Vouch struct {
	Kind                string          `json:"kind"`        // attestation, exception
	Requirement         string          `json:"requirement"` // "" where an exception names none
	Account             string          `json:"account"`
	What                string          `json:"what"`
	Who                 string          `json:"who"`
	Since               string          `json:"since"` // 2006-01-02
	Until               string          `json:"until"`
	Reason              string          `json:"reason"`
	CompensatingControl string          `json:"compensatingControl"`
	ApprovedBy          string          `json:"approvedBy"`
	State               string          `json:"state"`    // in_force, expired, not_yet
	DaysLeft            int             `json:"daysLeft"` // until it ends; below zero: since
	Effect              string          `json:"effect"`   // see the effects
	Text                string          `json:"text"`     // the effect in a sentence
	Source              evidence.Source `json:"source"`
}

// The effects.
const (
	EffectCounts       = "counts"       // the verdict is attested
	EffectContradicted = "contradicted" // the evidence says otherwise, and goes before it
	EffectNotNeeded    = "not_needed"   // the evidence decides without it
	EffectShown        = "shown"        // an exception: it is shown, and changes no verdict
	EffectNone         = "none"         // it has ended or not begun, or names nothing that is there
)

// vouched brings the statements to the report's form. What they come to is told
// as the requirements are judged.
func (a *assessor) vouched() {
	a.vouches = []Vouch{}
	for i := range a.Vouched {
		s := &a.Vouched[i]
		state, left := s.On(a.o.AsOf)
		v := Vouch{Kind: string(s.Kind), Requirement: s.Requirement, Account: s.Account, What: s.What, Who: s.Who, Since: s.Since, Until: s.Until,
			Reason: s.Reason, CompensatingControl: s.Control, ApprovedBy: s.ApprovedBy, State: string(state), DaysLeft: left, Effect: EffectNone,
			Source: s.Source}
		_, known := partner.Find(s.Requirement)
		practice, isPractice := partner.FindPractice(s.Requirement)
		switch {
		case state == vouch.Ended:
			v.Text = fmt.Sprintf("it ended on %s and counts no more: %s has to look again", s.Until, s.Who)
		case state == vouch.NotYet:
			v.Text = "it begins on " + s.Since
		case isPractice:
			v.Effect, v.Text = EffectShown, "it is of a best practice: partnerguard practices "+practice.ID+" says what comes of it"
			if !practice.Mode.Attestable() {
				v.Effect, v.Text = EffectNone, "it counts for nothing: what is collected alone decides this best practice"
			}
		case s.Requirement != "" && !known:
			v.Text = fmt.Sprintf("no requirement is called %q: partnerguard rules lists them", clip(s.Requirement))
		case s.Kind == vouch.Exception:
			a.except(s, &v)
		}
		a.vouches = append(a.vouches, v)
	}
}

// except shows an exception beside its account. It changes no verdict: it says
// who answers for a breach, and until when.
func (a *assessor) except(s *vouch.Statement, v *Vouch) {
	if s.Account == "" {
		v.Effect, v.Text = EffectShown, "it is shown, and changes no verdict"
		return
	}
	acc := a.account(s.Account)
	if acc == nil {
		v.Text = "no such account was read"
		return
	}
	v.Effect, v.Text = EffectShown, "it is shown beside the account, and changes no verdict"
	said := fmt.Sprintf("excepted by %s until %s: %s", s.Who, s.Until, s.Reason)
	if s.Control != "" {
		said += "; instead: " + s.Control
	}
	if acc.Exception != "" {
		said = acc.Exception + "; " + said
	}
	acc.Exception = said
}

// attested lets somebody's word stand where the evidence cannot decide, and shows
// both where it says otherwise.
func (a *assessor) attested(rule *partner.Rule, ru ruling) (out ruling, by, until string) {
	for i := range a.vouches {
		v := &a.vouches[i]
		if v.Kind != string(vouch.Attestation) || v.State != string(vouch.InForce) || v.Requirement != rule.ID {
			continue
		}
		said := fmt.Sprintf("%s attests it until %s", v.Who, v.Until)
		switch {
		case ru.verdict == NotMet, ru.against:
			v.Effect, v.Text = EffectContradicted, "the evidence says otherwise: "+ru.reason
			if !strings.Contains(ru.reason, said) {
				ru.reason += "; " + said + ", which the evidence contradicts"
			}
			ru.against = true
		case ru.verdict == Unknown, ru.verdict == Attested:
			v.Effect, v.Text = EffectCounts, "the evidence cannot decide, and this does until "+v.Until
			if ru.verdict == Unknown {
				why := v.Reason
				if v.What != "" {
					why = v.What + "; " + v.Reason
				}
				by, until = v.Who, v.Until
				ru.reason = fmt.Sprintf("%s: %s. Without that: %s", said, strings.TrimRight(why, ". "), ru.reason)
				ru.verdict = Attested
			}
		default:
			v.Effect, v.Text = EffectNotNeeded, "the evidence decides without it"
		}
	}
	return ru, by, until
}
