package render

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/rehearse"
)

// effectWords says what an effect is: as a heading, and in one sentence.
var effectWords = map[rehearse.Effect]struct {
	title, about string
	tone         print.Tone
}{
	rehearse.Opened: {"Newly open", "Today's settings stop these sign-ins or ask for MFA; the proposal does not.", print.Bad},
	rehearse.BlockedThen: {"Refused", "These sign-ins succeeded and would be refused: by a block, or because they cannot carry the MFA that would " +
		"be asked for.", print.Bad},
	rehearse.ChallengedUnable:  {"Asked for MFA, unable to answer", "These accounts would be asked for MFA and cannot answer.", print.Bad},
	rehearse.ChallengedUnknown: {"Asked for MFA, perhaps unable", "Whether these accounts could answer is not in the export.", print.Doubt},
	rehearse.ChallengedAble:    {"Asked for MFA, able to answer", "These accounts would be asked for MFA and have a method to answer with.", print.Good},
	rehearse.UndecidedThen:     {"Cannot be told", "What is not in the export decides these sign-ins.", print.Doubt},
	rehearse.Unchanged:         {"Unchanged", "The same as today.", print.Muted},
}

// effect gives the words of an effect; one nobody knows is doubtful.
func effect(e rehearse.Effect) (title, about string, t print.Tone) {
	if w, ok := effectWords[e]; ok {
		return w.title, w.about, w.tone
	}
	return print.Clean(string(e), print.MaxName), "", print.Doubt
}

// order is the effects in report order, then those nobody knows.
func order(r *rehearse.Result) []rehearse.Effect {
	out := rehearse.Effects()
	known := map[rehearse.Effect]bool{}
	for _, e := range out {
		known[e] = true
	}
	for i := range r.Groups {
		if e := r.Groups[i].Effect; !known[e] {
			known[e] = true
			out = append(out, e)
		}
	}
	return out
}

// sum is the total of an effect, as the result says, or zero.
func sum(r *rehearse.Result, e rehearse.Effect) rehearse.Total {
	for _, t := range r.Totals {
		if t.Effect == e {
			return t
		}
	}
	return rehearse.Total{Effect: e}
}

// groups are the groups of an effect, in the result's order.
func groups(r *rehearse.Result, e rehearse.Effect) (out []*rehearse.Group) {
	for i := range r.Groups {
		if r.Groups[i].Effect == e {
			out = append(out, &r.Groups[i])
		}
	}
	return out
}

// headline is the one sentence above everything. An account that breaks in two
// ways counts once.
func headline(r *rehearse.Result) (print.Tone, string) {
	breaking, opening := map[string]bool{}, map[string]bool{}
	var breaks, opened int
	for i := range r.Groups {
		g := &r.Groups[i]
		id := cmp.Or(g.ID, g.Account)
		if g.Effect.Breaks() {
			breaking[id] = true
		}
		if g.Effect == rehearse.Opened {
			opening[id] = true
		}
	}
	breaks, opened = len(breaking), len(opening)
	var asked int64
	for _, e := range []rehearse.Effect{rehearse.ChallengedUnable, rehearse.ChallengedUnknown, rehearse.ChallengedAble} {
		asked += sum(r, e).Rows
	}
	unsure := sum(r, rehearse.ChallengedUnknown).Accounts + sum(r, rehearse.UndecidedThen).Accounts
	s := fmt.Sprintf("%s would break, %s would newly be challenged.", print.Plural(int64(breaks), "accounts"), print.Plural(asked, "sign-ins"))
	switch {
	case r.Rows == 0:
		return print.Doubt, "Nothing was rehearsed: no successful user sign-in was read."
	case opened > 0:
		return print.Bad, fmt.Sprintf("Sign-ins of %s would newly be open. ", print.Plural(int64(opened), "accounts")) + s
	case breaks > 0:
		return print.Bad, s
	case unsure > 0:
		return print.Doubt, "No account is known to break, but not all can be told: " + fmt.Sprintf("%s would newly be challenged.",
			print.Plural(asked, "sign-ins"))
	case !r.Complete && asked == 0:
		return print.Doubt, "Nothing that was read would change, and not everything was read."
	case !r.Complete:
		return print.Doubt, fmt.Sprintf("No account that was read would break, and not everything was read: %s would newly be challenged.",
			print.Plural(asked, "sign-ins"))
	case asked == 0:
		return print.Good, "Nothing recorded would change."
	}
	return print.Good, "No account would break: " + fmt.Sprintf("%s would newly be challenged, by accounts that can answer.", print.Plural(asked, "sign-ins"))
}

// span says what the rehearsal rests on.
func span(r *rehearse.Result) string {
	s := print.Plural(r.Rows, "successful user sign-ins") + " replayed, " + print.Plural(int64(r.Patterns), "patterns") + " decided"
	first, last := print.Settled(r.First), print.Settled(r.Last)
	if first != nil && last != nil {
		s += fmt.Sprintf(", from %s to %s", first.Format(time.DateOnly), last.Format(time.DateOnly))
	}
	return s + ". What did not happen in this time is not rehearsed."
}

func proposal(r *rehearse.Result) string {
	return cmp.Or(print.Saying(r.Proposal), "Unnamed proposal")
}

// where is the app and the client of a group.
func where(g *rehearse.Group) string {
	app, client := print.Clean(g.App, print.MaxName), print.Clean(g.Client, print.MaxName)
	switch {
	case app == "":
		return client
	case client == "":
		return app
	}
	return app + " by " + client
}

func last(g *rehearse.Group) string {
	if t := print.Settled(g.Last); t != nil {
		return print.When(*t)
	}
	return ""
}

func policies(g *rehearse.Group) string {
	var out []string
	for _, p := range g.Policies {
		if p = print.Clean(p, print.MaxName); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}

// proof is one question before and after.
type proof struct {
	Question, Title           string
	Before, After             page.Said
	BeforeReason, AfterReason string
}

var notAsked = page.Said{Tone: print.Doubt, Word: "not asked"}

func proofs(r *rehearse.Result) (out []proof) {
	at := map[string]int{}
	add := func(p *rehearse.Proof) *proof {
		i, ok := at[p.Question]
		if !ok {
			i = len(out)
			at[p.Question] = i
			t := cmp.Or(print.Clean(p.Title, print.MaxSaying), print.Clean(p.Question, print.MaxName))
			out = append(out, proof{Question: print.Clean(p.Question, print.MaxName), Title: t, Before: notAsked, After: notAsked})
		}
		return &out[i]
	}
	for i := range r.Before {
		p := add(&r.Before[i])
		p.Before, p.BeforeReason = page.SaidOf(r.Before[i].Verdict), print.Saying(r.Before[i].Reason)
	}
	for i := range r.After {
		p := add(&r.After[i])
		p.After, p.AfterReason = page.SaidOf(r.After[i].Verdict), print.Saying(r.After[i].Reason)
	}
	return out
}

var (
	changeWords = map[string]string{"replaces": "replaces one of today's"}
	stateWords  = map[string]string{"enabled": "enabled", string(access.ReportOnly): "report-only, rehearsed as if enabled", "disabled": "disabled"}
)
