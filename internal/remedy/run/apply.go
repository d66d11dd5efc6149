//go:build !judge

package run

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

func (c *Runner) record(ctx context.Context, a audit.Action, o audit.Outcome, r *Run, reason string, details map[string]string) error {
	return c.d.Record.Record(ctx, audit.Event{At: c.now(), Action: a, Outcome: o, Actor: c.d.Actor, Object: r.ID, Tenant: r.Tenant,
		Reason: print.Clean(reason, print.MaxSaying), Details: details})
}

// Shut is a gate that was not passed: its findings say why. It is of kind problem.Unmet.
type Shut struct {
	Gate *remedy.Gate
	err  error
}

func (e *Shut) Error() string { return e.err.Error() }

// Unwrap gives the problem with its hint.
func (e *Shut) Unwrap() error { return e.err }

func shut(g *remedy.Gate) error {
	n, first := 0, ""
	for i := range g.Findings {
		if f := &g.Findings[i]; f.Refuses() {
			if n++; first == "" {
				first = f.Text
			}
		}
	}
	more := ""
	if n > 1 {
		more = ", and " + strconv.Itoa(n-1) + " more"
	}
	return &Shut{g, problem.New(problem.Unmet, "the gate of stage %s is not passed: %s%s", g.Stage, print.Clean(first, print.MaxSaying), more).
		WithHint("partnerguard remedy check plan.yaml shows all of it; what may be accepted is accepted by name, the rest needs another plan")}
}

// read reads a plan's file and says who signed it. A signature that does not fit is refused.
func (c *Runner) read(ctx context.Context, raw []byte) (p *remedy.Plan, signer string, err error) {
	if p, err = remedy.ReadFile(raw); err != nil {
		return nil, "", err
	}
	if err := object.Check(p); err != nil {
		return nil, "", err
	}
	if p.Signature == "" {
		return p, "", nil
	}
	if c.d.Verifiers == nil {
		return nil, "", problem.New(problem.Unavailable, "the plan is signed, and the keys are not known here").
			WithHint("open the installation that made it, or take the signature out and have a second person approve it")
	}
	keys, err := c.d.Verifiers(ctx)
	if err != nil {
		return nil, "", err
	}
	signer, err = remedy.Signed(p, keys...)
	return p, signer, err
}

// secondFor says why a plan needs a second person.
func (c *Runner) secondFor(p *remedy.Plan, signer string) (out []string) {
	if signer == "" {
		out = append(out, "nobody signed the plan, or it was edited")
	}
	for i := range p.Steps {
		if p.Steps[i].Undo == remedy.Irreversible {
			out = append(out, "step "+strconv.Itoa(p.Steps[i].N)+" cannot be taken back")
			break
		}
	}
	if g := p.Gate; g != nil && opensAccepted(g, p.Accepted...) { // no more than a hint: each gate is held to it
		out = append(out, openedWords)
	}
	if c.d.Config.Approval == approvalAlways {
		out = append(out, "the setting remedyApproval says always")
	}
	return out
}

const openedWords = "what it opens was accepted"

// opensAccepted says that a gate passes for something that is open then and that somebody accepted,
// there or in what the plan's file accepts.
func opensAccepted(g *remedy.Gate, file ...remedy.Acceptance) bool {
	return slices.ContainsFunc(g.Findings, func(f remedy.Finding) bool {
		return f.Kind == remedy.Opens &&
			(f.Accepted != nil || slices.ContainsFunc(file, func(a remedy.Acceptance) bool { return a.Finding == f.ID }))
	})
}

// Apply takes a plan over, to be done up to a stage ("" all). Nothing is asked of Microsoft
// by it but what the gate reads; [Runner.Do] does it. A gate that is not passed is a [Shut]
// and keeps nothing. Applying the same again has a run that stopped go on, tries what failed
// once more, and raises the stage; after it was taken back it is a new run.
func (c *Runner) Apply(ctx context.Context, raw []byte, upto remedy.Stage) (Run, error) {
	if c.d.Marks == nil {
		return Run{}, errNoVault()
	}
	p, signer, err := c.read(ctx, raw)
	if err != nil {
		return Run{}, err
	}
	if upto == "" {
		upto = p.Stages[len(p.Stages)-1]
	}
	if !slices.Contains(p.Stages, upto) {
		return Run{}, problem.New(problem.Usage, "the plan has no stage %.20q", string(upto)).WithHint("its stages are %s", stageWords(p.Stages))
	}
	others, err := c.runsOf(ctx, strings.ToLower(p.Tenant.ID))
	if err != nil {
		return Run{}, err
	}
	n := 1
	for i := range others {
		o := &others[i]
		switch {
		case o.Plan == p.SHA256() && !o.State.Over():
			return c.again(ctx, o.ID, p, upto)
		case o.Plan == p.SHA256():
			n++
		case !o.State.Over():
			return Run{}, problem.New(problem.Conflict, "the plan %s of this tenant is %s", o.ID, o.State).
				WithHint("let it end, or partnerguard remedy rollback %s", o.ID)
		}
	}
	r := Run{ID: "rr-" + p.SHA256()[:12] + "-" + strconv.Itoa(n), Plan: p.SHA256(), Short: p.ID, Goal: p.Goal, Tenant: strings.ToLower(p.Tenant.ID),
		Name: p.Tenant.Name, State: Running, Upto: upto, Applied: c.now(), Actor: c.d.Actor, Signer: signer, Second: c.secondFor(p, signer),
		Made: map[string]string{}}
	r.Back = hashOf(Instructions(p, nil, nil))
	if err := c.first(ctx, p, &r); err != nil {
		return Run{}, err
	}
	if r.next = r.Applied; len(r.Second) > 0 {
		r.State, r.next = Waiting, time.Time{}
		r.Why = strings.Join(r.Second, "; ") + ": a second person reads it and says yes: partnerguard remedy approve " + r.ID
	}
	err = c.d.DB.InTx(ctx, func(ctx context.Context) error { return c.begin(ctx, p, &r, raw) })
	if errors.Is(err, errStale) { // another process applied it in this moment
		return c.trusted(ctx, r.ID)
	}
	return r, err
}

// first holds a plan to the gate of its first stage, over what is there now.
func (c *Runner) first(ctx context.Context, p *remedy.Plan, r *Run) error {
	cloud, err := c.cloud(ctx, p)
	if err != nil {
		return err
	}
	if err := acts(p, cloud); err != nil {
		return err
	}
	g, err := c.d.Gate(ctx, Ask{Plan: p, To: p.Stages[0], IDs: r.Made, Cloud: cloud})
	if err != nil {
		return err
	}
	if !g.Passed {
		return shut(g)
	}
	if r.Proof = g.Answers; opensAccepted(g) && !slices.Contains(r.Second, openedWords) {
		r.Second = append(r.Second, openedWords)
	}
	return nil
}

// cloud is the way to a plan's tenant, and to no other.
func (c *Runner) cloud(ctx context.Context, p *remedy.Plan) (*Cloud, error) {
	if c.d.Cloud == nil {
		return nil, problem.New(problem.Unavailable, "there is no way to Microsoft here").WithHint("partnerguard connect")
	}
	cloud, err := c.d.Cloud(ctx, strings.ToLower(p.Tenant.ID), permissions(p))
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(cloud.Tenant, p.Tenant.ID) {
		return nil, problem.New(problem.Conflict, "the plan is of the tenant %s, and the connection leads to %s", p.Tenant.ID, cloud.Tenant)
	}
	return cloud, nil
}

// acts holds a connection to the account that a plan was made for: its gate was looked at for
// that one. Whoever it is may take a plan back.
func acts(p *remedy.Plan, cloud *Cloud) error {
	if p.Actor == "" || strings.EqualFold(p.Actor, cloud.Actor) {
		return nil
	}
	who := "an account that is not known"
	if cloud.Actor != "" {
		who = "the account " + cloud.Actor
	}
	return problem.New(problem.Conflict, "the plan is for the account %s to apply, and the connection acts as %s", p.Actor, who).
		WithHint("partnerguard connect --name remedy --feature remedy, signed in as the plan's account; or plan anew with --actor, for the one that acts")
}

// permissions are what all steps of a plan need, in order, each once.
func permissions(p *remedy.Plan) (out []string) {
	for i := range p.Steps {
		need, _ := object.Needs(p.Steps[i].Kind, p.Steps[i].Do)
		out = append(out, need...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// begin keeps a run with its plan.
func (c *Runner) begin(ctx context.Context, p *remedy.Plan, r *Run, raw []byte) error {
	others, err := c.runsOf(ctx, r.Tenant)
	if err != nil {
		return err
	}
	for i := range others {
		if o := &others[i]; !o.State.Over() {
			return problem.New(problem.Conflict, "the plan %s of this tenant is %s", o.ID, o.State).
				WithHint("let it end, or partnerguard remedy rollback %s", o.ID)
		}
	}
	details := map[string]string{"plan": r.Plan, "goal": p.Goal, "steps": strconv.Itoa(len(p.Steps)), "instructions": r.Back}
	m := planRow{id: r.Plan, body: string(raw), at: db.Micros(r.Applied), actor: c.d.Actor}
	switch err := c.insertPlan(ctx, &m); {
	case err == nil:
		if err := c.record(ctx, audit.RemedyPlanned, audit.Done, r, "", details); err != nil {
			return err
		}
	case !errors.Is(err, errStale): // else it was taken over before
		return err
	}
	if err := c.insertRun(ctx, r); err != nil {
		return err
	}
	details["upto"], details["signed by"] = string(r.Upto), r.Signer
	return c.record(ctx, audit.RemedyApplied, audit.Done, r, strings.Join(r.Second, "; "), details)
}

// again has a run go on: one that stopped, one that holds, and further than it was asked to.
func (c *Runner) again(ctx context.Context, id string, p *remedy.Plan, upto remedy.Stage) (r Run, err error) {
	err = c.retry(ctx, func(ctx context.Context) error {
		list := []Progress(nil)
		if r, list, err = c.standing(ctx, id); err != nil {
			return err
		}
		if r.State == Undoing {
			return problem.New(problem.Conflict, "the plan %s is being taken back", r.ID).WithHint("let it end, then apply it again")
		}
		if slices.Index(p.Stages, upto) < slices.Index(p.Stages, r.Stage) {
			return problem.New(problem.Conflict, "the plan %s is at stage %s already", r.ID, r.Stage).WithHint("partnerguard remedy rollback %s", r.ID)
		}
		n, moved := 0, upto != r.Upto
		for i := range list {
			if x := &list[i]; x.State == Failed {
				x.to(Ready, c.now(), "")
				n++
				if err := c.updateStep(ctx, x, false); err != nil {
					return err
				}
			}
		}
		was := r.State
		r.Upto = upto
		switch {
		case r.State == Stopped && len(r.Second) > 0 && r.Approved == nil:
			r.State = Waiting
		case r.State == Stopped && r.watched():
			r.State = Watching
		case r.State == Stopped, r.State == Holding && moved:
			r.State = Running
		}
		if r.State == was && !moved && n == 0 {
			return nil
		}
		if r.next, r.Why = c.now(), ""; r.State == Waiting {
			r.Why = "it waits for a second person: partnerguard remedy approve " + r.ID
		}
		if err := c.updateRun(ctx, &r); err != nil {
			return err
		}
		return c.record(ctx, audit.RemedyApplied, audit.Done, &r, "", map[string]string{"plan": r.Plan, "upto": string(upto), "tried again": strconv.Itoa(n)})
	})
	return r, err
}

// watched says that the stage's steps are done, and its evidence is not there.
func (r *Run) watched() bool {
	n := len(r.Past)
	return n > 0 && !r.Past[n-1].Done.IsZero() && r.Past[n-1].Ended.IsZero()
}

func stageWords(list []remedy.Stage) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}

// retry runs do again when it lost a race.
func (c *Runner) retry(ctx context.Context, do func(context.Context) error) error {
	for try := range 12 {
		err := c.d.DB.InTx(ctx, do)
		if !errors.Is(err, errStale) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 25 * time.Millisecond):
		}
	}
	return problem.New(problem.Conflict, "the plan is being done by another process at this moment").WithHint("try again in a moment")
}
