//go:build !judge

package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// DelegationPlanAsk says what a plan of delegation is made of.
type DelegationPlanAsk struct {
	Reading                     // files; none of them: what was collected
	Question  RecommendQuestion // of the recommendation
	Template  *move.Template    // nil: what is recommended
	Customers []string          // tenant ids or domains; nil: all
	Drop      bool              // roles without evidence go, too
	Tight     bool              // new relationships also where active ones hold more than is needed
	KeepDAP   bool
	Stages    []int
}

// makeMover makes what moves customers to other delegation.
func (i *Installation) makeMover() (err error) {
	d := move.Deps{DB: i.DB, Record: i.Trail, Actor: i.Actor, Now: i.Now, Log: i.Log, Config: &i.Config.Delegation, Admin: i.adminCenter()}
	if i.Vault != nil {
		d.Marks = i.Vault
	}
	if !i.look {
		d.Last = i.lastOfMoves
	}
	if i.Config.Delegation.Invite != "" && i.Notify != nil {
		d.Tell = i.tellInvitation
	}
	if i.SAM != nil {
		d.Cloud, d.Probe = i.delegationCloud, i.Prober()
	}
	i.Mover, err = move.New(d)
	return err
}

// adminCenter is where customers approve: the local cloud has a page of its own.
func (i *Installation) adminCenter() string {
	if i.lab != nil {
		return i.lab.Info.PortalHTTP
	}
	return ""
}

// delegationCloud is the way to Microsoft by the connection of the partner's tenant.
func (i *Installation) delegationCloud(ctx context.Context, tenant string) (move.Cloud, error) {
	c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(c.Tenant, tenant) {
		return nil, problem.New(problem.Conflict, "the plan is of the partner %s, and the connection %s of %s", tenant, c.Name, c.Tenant).
			WithHint("name the connection of that partner with the setting collectConnection")
	}
	g, err := i.SAM.Graph(c)
	if err != nil {
		return nil, err
	}
	p, err := i.SAM.PartnerCenter(c)
	if err != nil {
		return nil, err
	}
	return move.Live(g, p), nil
}

// tellInvitation tells whoever passes invitations on that one is there. The link is not a
// page of ours, so that the message names the command that shows it.
func (i *Installation) tellInvitation(ctx context.Context, key string, v move.Invitation) error {
	m := &notify.Message{ID: key, Event: "delegation.invitation", Severity: notify.Notice, At: i.Now(), Thread: "delegation " + v.Customer,
		Title: "A customer is to approve less access: " + v.Name,
		Text: fmt.Sprintf("The relationship %s waits for %s (%s) until %s. Send its administrator the invitation; the role Customer Delegated Admin "+
			"Relationship Administrator is enough to approve it.", v.Title, v.Name, v.Customer, v.Ends.UTC().Format("2006-01-02")),
		Commands: []string{"partnerguard delegation invite " + v.Customer}}
	if v.Reminder > 0 {
		m.Title = "A customer has not approved yet: " + v.Name
	}
	return i.Notify.Put(ctx, m, i.Config.Delegation.Invite)
}

// DelegationPlan makes a plan. It asks nobody for anything and changes nothing.
func (i *Installation) DelegationPlan(ctx context.Context, a DelegationPlanAsk) (move.Plan, error) {
	pins, err := i.Mover.Pinned(ctx)
	if err != nil {
		return move.Plan{}, err
	}
	a.Question.kept = pins // of files; what was collected has them anyway
	ask := move.Ask{Cloud: i.Cloud.Name, Now: i.Now(), Seed: token.GUID(), Template: a.Template, Customers: a.Customers, Pins: pins, DropUnseen: a.Drop,
		Tight: a.Tight, KeepDAP: a.KeepDAP, Stages: a.Stages}
	if ask.Inventory, ask.Result, err = i.delegationFacts(ctx, a); err != nil {
		return move.Plan{}, err
	}
	return move.Make(&ask)
}

// delegationFacts are what a plan is made of: of files, or of what was collected.
func (i *Installation) delegationFacts(ctx context.Context, a DelegationPlanAsk) (*delegation.Inventory, *recommend.Result, error) {
	a.Now, a.Question.Now = i.Now(), i.Now()
	if len(a.From) > 0 {
		inv, _, err := Delegation(ctx, DelegationReading{Reading: a.Reading})
		if err != nil {
			return nil, nil, err
		}
		res, err := DelegationRecommend(ctx, a.Reading, a.Question)
		return inv, res, err
	}
	in, _, err := i.RecommendFrom(ctx, a.Question)
	if errors.Is(err, problem.NotFound) {
		return nil, nil, problem.Wrap(err, problem.NotFound, "nothing was collected yet of what the partner may do at its customers").
			WithHint("partnerguard collect, or name an export with --from")
	}
	if err != nil {
		return nil, nil, err
	}
	return in.Inventory, recommend.Run(in), nil
}

// DelegationApply has a plan done, up to a share of its stages in percent (0: all).
func (i *Installation) DelegationApply(ctx context.Context, p move.Plan, until int) (move.Run, error) {
	if p.Cloud != i.Cloud.Name {
		return move.Run{}, problem.New(problem.Conflict, "the plan is for the cloud %.40q, and this is %s", p.Cloud, i.Cloud.Name).WithHint("have it made here")
	}
	inv, err := i.Inventory(ctx)
	if err != nil && !errors.Is(err, problem.NotFound) {
		return move.Run{}, err
	}
	return i.Mover.Apply(ctx, p, until, inv)
}
