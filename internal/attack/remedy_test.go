package attack

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
	"partnerguard/internal/msapi"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/remedy/object"
	"partnerguard/internal/remedy/run"
)

// silent is a Graph that never answers.
type silent struct{}

func (silent) Read(context.Context, string) (msapi.Reply, error) {
	return msapi.Reply{Status: 200, Body: json.RawMessage(`{"isEnabled":true}`)}, nil
}

func (silent) Write(context.Context, msapi.Write) (msapi.Reply, error) {
	return msapi.Reply{}, &msapi.APIError{Service: "Microsoft Graph", Transient: true}
}

func (silent) Items(context.Context, string) iter.Seq2[json.RawMessage, error] {
	return func(func(json.RawMessage, error) bool) {}
}

// remedied applies a plan, has another person approve it, asks for its one change, whose answer
// never comes, and stops it.
func (h *house) remedied(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	tenant := strings.ToLower(h.s.Info().Tenant.ID)
	c, err := run.New(run.Deps{DB: s.DB, Marks: s.Vault, Record: s.Trail, Actor: "local:ada", Now: s.Now,
		Cloud: func(context.Context, string, []string) (*run.Cloud, error) {
			return &run.Cloud{Graph: silent{}, Tenant: tenant}, nil
		},
		Gate: func(_ context.Context, a run.Ask) (*remedy.Gate, error) {
			return &remedy.Gate{Stage: a.To, Passed: true}, nil
		},
		Expand: func(_ context.Context, a run.Ask) ([]gate.Move, error) {
			return gate.Expand(a.Plan, a.From, a.To, &access.Tenant{})
		}})
	h.ok(err)
	step := remedy.Step{N: 1, Do: remedy.Update, Kind: remedy.Defaults, Name: "security defaults", Text: "switch security defaults off",
		Before: remedy.Object(`{"isEnabled":true}`), After: remedy.Object(`{"isEnabled":false}`)}
	object.Complete(&step)
	p := remedy.Plan{Form: remedy.Form, ID: "house1", Goal: "policies", Made: s.Now(), By: "local:ada", Program: "test", RuleBook: "test",
		Tenant: remedy.Tenant{ID: tenant, Cloud: "public"}, Basis: remedy.Basis{AsOf: s.Now()}, Stages: []remedy.Stage{remedy.All}, Steps: []remedy.Step{step}}
	var raw bytes.Buffer
	h.ok(p.Write(&raw))
	r, err := c.Apply(ctx, raw.Bytes(), "")
	h.ok(err)
	_, err = c.As("local:second").Approve(ctx, r.ID)
	h.ok(err)
	_, err = c.Do(ctx, r.ID)
	h.ok(err)
	_, err = c.Stop(ctx, r.ID, "a drill")
	h.ok(err)
}

// whoRemedies tells what would be changed, by whose yes.
func (h *house) whoRemedies(ctx context.Context, s *app.Installation, d *day, say func(refused, format string, args ...any)) {
	list, err := s.Remedy.Status(ctx, "")
	if err != nil {
		d.tell("plans: %v", err)
	}
	for i := range list {
		r := &list[i]
		by := ""
		if r.Approved != nil {
			by = r.Approved.Actor
		}
		say(r.Refused, "plan %s of %s is %s, approved by %s", r.ID, r.Tenant, r.State, by)
		for k := range r.Steps {
			x := &r.Steps[k]
			say(x.Refused, "step %d of %s is %s: %s", x.Seq, x.Run, x.State, x.Step.Text)
		}
	}
}
