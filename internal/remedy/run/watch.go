//go:build !judge

package run

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// passed closes a stage whose steps are all done: it is watched, or was the last.
func (t *turn) passed(ctx context.Context) (time.Time, error) {
	now := t.c.now()
	last := t.r.Stage == t.plan.Stages[len(t.plan.Stages)-1]
	watch := !last && len(t.policies()) > 0
	details := map[string]string{"stage": string(t.r.Stage), "state": "done"}
	err := t.change(ctx, audit.RemedyStage, audit.Done, "", details, func(r *Run) {
		p := &r.Past[len(r.Past)-1]
		if p.Done = now; watch {
			r.State = Watching
		} else {
			p.Ended = now
		}
	})
	return now, err
}

// policies are the ids of the policies that the stage put in force, or has report.
func (t *turn) policies() (out []string) {
	for i := range t.list {
		p := &t.list[i]
		if p.Stage != t.r.Stage || p.Step.Kind != remedy.Policy || p.Step.Do == remedy.Delete || p.State != Done && p.State != Found {
			continue
		}
		var in struct {
			State string `json:"state"`
		}
		if json.Unmarshal(p.Became, &in) == nil && in.State != "disabled" && p.ID != "" {
			out = append(out, p.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// waits is how long a stage is watched at least.
func waits(w *remedy.Wait, s remedy.Stage) time.Duration {
	switch s {
	case remedy.ReportOnly:
		return w.ReportOnly
	case remedy.Pilot:
		return w.Pilot
	}
	return w.Share
}

// seen is what a stage's policies did, as far as a log tells.
type seen struct {
	log       remedy.Log
	surprises []Surprise
	taken     []Surprise // surprises that somebody accepted
	unknown   error      // why no log can tell
}

// watch looks at what the stage does to sign-ins: what nobody foretold stops the run, and
// the next stage waits until there is evidence enough.
func (t *turn) watch(ctx context.Context) (time.Time, error) {
	now := t.c.now()
	p := &t.r.Past[len(t.r.Past)-1]
	due := p.Done.Add(waits(&t.plan.Wait, p.Stage))
	e, err := t.look(ctx, p)
	switch {
	case err != nil && passing(err):
		return now.Add(later), t.note(ctx, err.Error()+hint(err))
	case err != nil:
		return time.Time{}, t.stop(ctx, err.Error()+hint(err), nil)
	case len(e.surprises) > 0:
		return time.Time{}, t.surprised(ctx, e)
	}
	if e.unknown != nil {
		if !t.accepted(NoEvidence(p.Stage)) {
			return now.Add(watchEvery), t.note(ctx, fmt.Sprintf("what stage %s does is not known: %s; to go on all the same: "+
				"partnerguard remedy approve %s --accept %s --why TEXT", p.Stage, e.unknown.Error(), t.r.ID, NoEvidence(p.Stage)))
		}
		if now.Before(due) {
			return sooner(due, now.Add(watchEvery)), t.note(ctx, "stage "+string(p.Stage)+" is watched until "+moment(due)+", without a log")
		}
		return now, t.leave(ctx, "no log was read; somebody took that upon themselves", nil)
	}
	count := fmt.Sprintf("%d of %s %s seen", e.log.SignIns, print.Plural(t.plan.Wait.SignIns, "sign-ins"), wasWere(t.plan.Wait.SignIns))
	switch {
	case now.Before(due):
		return sooner(due, now.Add(watchEvery)), t.note(ctx, fmt.Sprintf("stage %s is watched until %s; %s", p.Stage, moment(due), count))
	case e.log.To.Before(due):
		return now.Add(later), t.note(ctx, fmt.Sprintf("stage %s: the log was read up to %s, and counts up to %s", p.Stage, moment(e.log.To), moment(due)))
	case e.log.SignIns < t.plan.Wait.SignIns && !t.accepted(NoEvidence(p.Stage)):
		return now.Add(watchEvery), t.note(ctx, fmt.Sprintf("stage %s has too few sign-ins: %s since %s; it waits on; to go on all the same: "+
			"partnerguard remedy approve %s --accept %s --why TEXT", p.Stage, count, moment(p.Done), t.r.ID, NoEvidence(p.Stage)))
	}
	return now, t.leave(ctx, print.Clean(fmt.Sprintf("%s from %s to %s: %s", print.Plural(e.log.SignIns, "sign-ins"), moment(e.log.From),
		moment(e.log.To), t.takenWords(e.taken)), print.MaxSaying), &e.log)
}

// takenWords says whom a stage broke whom the rehearsal did not foretell, and who accepted it.
func (t *turn) takenWords(taken []Surprise) string {
	if len(taken) == 0 {
		return "nobody failed whom the rehearsal did not foretell"
	}
	const most = 5
	var names []string
	for i := range taken[:min(len(taken), most)] {
		x := &taken[i]
		names = append(names, cmp.Or(x.Effect.Name, x.Effect.Account)+" with "+x.Effect.App+" ("+x.Effect.Client+"), accepted by "+t.acceptedBy(x.ID))
	}
	words := print.Plural(int64(len(taken)), "surprises") + " accepted by name: " + strings.Join(names, "; ")
	if more := len(taken) - most; more > 0 {
		words += fmt.Sprintf("; and %d more", more)
	}
	return words + "; nobody else failed whom the rehearsal did not foretell"
}

func wasWere(n int64) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// look counts what the stage's policies did since they were in place.
func (t *turn) look(ctx context.Context, p *Passage) (e seen, err error) {
	if t.c.d.Observed == nil {
		return seen{unknown: problem.New(problem.NotFound, "no sign-ins are kept here")}, nil
	}
	foretold, inside := t.foretold(p.Gate), t.inside()
	list := t.policies()
	own := slices.AppendSeq(slices.Clone(list), maps.Values(t.r.Made))
	for i, id := range list {
		effects, log, err := t.c.d.Observed(ctx, t.r.Tenant, id, own, p.Done)
		if errors.Is(err, problem.NotFound) {
			e.unknown = err
			continue
		}
		if err != nil {
			return e, err
		}
		if len(inside) > 0 && len(effects) > 0 && !slices.ContainsFunc(effects, func(x remedy.Effect) bool { return inside[strings.ToLower(x.Account)] }) {
			log.SignIns = 0 // it was for none of those who signed in
		}
		if i == 0 || log.SignIns < e.log.SignIns {
			e.log.SignIns = log.SignIns
		}
		if i == 0 || log.To.Before(e.log.To) {
			e.log.From, e.log.To = log.From, log.To
		}
		for k := range effects {
			x := &effects[k]
			if x.Result != "failure" || foretold(x) {
				continue
			}
			e.log.Breaks += x.Count
			s := Surprise{ID: surpriseID(x), Stage: p.Stage, Policy: id, Effect: *x}
			list := &e.surprises
			if t.accepted(s.ID) {
				list = &e.taken
			}
			if !slices.ContainsFunc(*list, func(o Surprise) bool { return o.ID == s.ID }) { // two policies may do the same
				*list = append(*list, s)
			}
		}
	}
	return e, nil
}

// inside are the accounts of the stage's own groups, by lower-case id; none where the stage is for
// everybody. That a policy for them was looked at for others' sign-ins shows nothing of what it does.
func (t *turn) inside() map[string]bool {
	out := map[string]bool{}
	if t.r.Stage == remedy.ReportOnly || t.r.Stage == remedy.All {
		return out
	}
	for i := range t.list {
		p := &t.list[i]
		var in struct {
			Member string `json:"member"`
		}
		if p.Of == 0 && p.Step.Kind == remedy.Member && p.Step.Do == remedy.Create && json.Unmarshal(p.Step.After, &in) == nil {
			out[strings.ToLower(in.Member)] = true
		}
	}
	return out
}

// surpriseID names a surprise for an acceptance: equal for the same account, app and client.
func surpriseID(e *remedy.Effect) string {
	sum := sha256.Sum256([]byte("surprise\x00" + strings.ToLower(e.Account) + "\x00" + strings.ToLower(e.App) + "\x00" + e.Client))
	return hex.EncodeToString(sum[:4])
}

// foretold says of effects whether a gate foretold them, the stage's or the plan's, which is
// signed and speaks of all stages: the same account, with the same app and client as far as the
// finding names them. A stage that only reports breaks nothing, and shows what the later ones will.
func (t *turn) foretold(g *remedy.Gate) func(*remedy.Effect) bool {
	var list []remedy.Finding
	for _, g := range []*remedy.Gate{g, t.plan.Gate} {
		if g != nil && (g != t.plan.Gate || t.r.Signer != "") { // what nobody signed anybody may have written
			list = append(list, g.Findings...)
		}
	}
	return func(e *remedy.Effect) bool {
		return slices.ContainsFunc(list, func(f remedy.Finding) bool { return f.Kind == remedy.Breaks && f.About(e) })
	}
}

// mostSurprises bounds what is kept of a stage that goes wrong for many.
const mostSurprises = 100

func (t *turn) surprised(ctx context.Context, e seen) error {
	first := &e.surprises[0]
	who := first.Effect.Name
	if who == "" {
		who = first.Effect.Account
	}
	words := fmt.Sprintf("a surprise in stage %s: %s fails with %s (%s), which the rehearsal did not foretell", first.Stage,
		print.Clean(who, print.MaxName), print.Clean(first.Effect.App, print.MaxName), print.Clean(first.Effect.Client, print.MaxName))
	if n := len(e.surprises); n > 1 {
		words += fmt.Sprintf("; and %d more", n-1)
	}
	words += fmt.Sprintf("; mend it or accept it (partnerguard remedy approve %s --accept %s --why TEXT) and apply the plan again, or "+
		"partnerguard remedy rollback %s", t.r.ID, first.ID, t.r.ID)
	return t.stop(ctx, words, func(r *Run) { r.Findings = e.surprises[:min(len(e.surprises), mostSurprises)] })
}

// leave closes a stage whose evidence is there.
func (t *turn) leave(ctx context.Context, evidence string, log *remedy.Log) error {
	now := t.c.now()
	details := map[string]string{"stage": string(t.r.Stage), "state": "passed"}
	return t.change(ctx, audit.RemedyStage, audit.Done, evidence, details, func(r *Run) {
		p := &r.Past[len(r.Past)-1]
		p.Ended, p.Evidence, p.Log = now, evidence, log
		r.State, r.Why, r.Findings = Running, "", nil
	})
}

// end closes a run: the questions are asked again over what is there now.
func (t *turn) end(ctx context.Context) (time.Time, error) {
	proof, words, err := t.prove(ctx)
	if err != nil {
		return t.c.now().Add(time.Minute), t.note(ctx, "all steps are done; the proof over what is there now waits: "+err.Error()+hint(err))
	}
	details := map[string]string{"outcome": "done"}
	for _, a := range proof {
		details["question "+a.Question] = a.Before + " → " + a.After
	}
	return time.Time{}, t.change(ctx, audit.RemedyEnded, audit.Done, words, details, func(r *Run) {
		r.State, r.Why, r.Proof = Ended, words, proof
	})
}

// prove asks the plan's questions over the settings as they are now. Before is how they
// stood when the plan was applied.
func (t *turn) prove(ctx context.Context) (out []remedy.Answer, words string, err error) {
	last := t.plan.Stages[len(t.plan.Stages)-1]
	g, err := t.c.d.Gate(ctx, Ask{Plan: t.plan, From: t.r.Stage, To: last, IDs: t.r.Made, Cloud: t.cloud, Proof: true})
	if err != nil {
		return nil, "", err
	}
	var not []string
	for _, now := range g.Answers {
		a := remedy.Answer{Question: now.Question, Before: "unknown", After: now.Before, Closed: now.Closed, Opened: now.Opened}
		for _, was := range t.r.Proof {
			if was.Question == a.Question {
				a.Before = was.Before
			}
		}
		out = append(out, a)
		if a.After != "proved" {
			not = append(not, a.Question+" ("+a.After+")")
		}
	}
	if len(not) > 0 {
		words = "not proved: " + strings.Join(not, ", ")
	}
	return out, words, nil
}
