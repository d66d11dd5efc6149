package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/entra"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// everybody is what wids holds for every user of a tenant: the default user role, which
// is no directory role that anybody gave.
const everybody = "b79fbf4d-3ef9-4689-8143-76b194e85509"

// Probe asks once for everything that is expected at one customer. It never fails: what
// could not be asked is a result of its own, with the reason. Safe for concurrent use
// when c is.
func Probe(ctx context.Context, c Client, e Expectation, now time.Time) []Result {
	p := &prober{ctx: ctx, c: c, e: &e, now: now, rels: map[string]answer[Relationship]{}, lists: map[string]answer[[]Assignment]{}}
	for _, id := range relationships(e.Active) {
		p.relationship(id)
	}
	for i := range e.Active {
		if e.Active[i].Group != "" {
			p.assignment(&e.Active[i])
		}
	}
	for i := range e.Gone {
		p.gone(&e.Gone[i])
	}
	for i := range e.NoRole {
		p.lost(&e.NoRole[i])
	}
	if e.NoDAP {
		p.dap()
	}
	p.token()
	p.members()
	return p.out
}

// prober is one round of questions about one customer.
type prober struct {
	ctx   context.Context
	c     Client
	e     *Expectation
	now   time.Time
	rels  map[string]answer[Relationship]
	lists map[string]answer[[]Assignment]
	mine  []string // groups of the connected account
	out   []Result
}

type answer[T any] struct {
	is  T
	err error
}

func relationships(list []Access) (out []string) {
	for i := range list {
		if id := strings.ToLower(list[i].Relationship); id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// once asks what is asked about several things once.
func once[T any](known map[string]answer[T], key string, ask func(string) (T, error)) (T, error) {
	key = strings.ToLower(key)
	a, ok := known[key]
	if !ok {
		a.is, a.err = ask(key)
		known[key] = a
	}
	return a.is, a.err
}

func (p *prober) rel(id string) (Relationship, error) {
	return once(p.rels, id, func(id string) (Relationship, error) { return p.c.Relationship(p.ctx, id) })
}

func (p *prober) list(id string) ([]Assignment, error) {
	return once(p.lists, id, func(id string) ([]Assignment, error) { return p.c.Assignments(p.ctx, id) })
}

// add notes a result. What is not so yet, and may still become so, waits.
func (p *prober) add(r Result, takes time.Duration) {
	r.Customer, r.At = p.e.Customer, p.now
	if r.Outcome == Wait {
		r.Again = p.now.Add(again)
		if left := p.e.Since.Add(takes).Sub(p.now); p.e.Since.IsZero() || left <= 0 {
			r.Outcome, r.Again = Fail, time.Time{}
			if !p.e.Since.IsZero() {
				r.Why = strings.TrimSpace(r.Why + fmt.Sprintf(" It had %s for it.", p.now.Sub(p.e.Since).Round(time.Minute)))
			}
		}
	}
	p.out = append(p.out, r)
}

// again is how long to wait before something is asked again.
const again = 30 * time.Second

// unknown notes what could not be asked.
func (p *prober) unknown(r Result, err error) {
	r.Outcome, r.Got, r.Why, r.Fix = Unknown, "not known", err.Error(), problem.HintOf(err)
	p.add(r, 0)
}

// maxShown is how much of a word from outside is shown.
const maxShown = 40

// said makes a status that came from outside fit to be shown.
func said(status string) string {
	if status == "" {
		return "not there"
	}
	return print.Clean(status, maxShown)
}

func (p *prober) relationship(id string) {
	r := Result{Kind: RelationshipActive, Subject: id, Want: "active", Proof: ByState}
	is, err := p.rel(id)
	if err != nil {
		p.unknown(r, err)
		return
	}
	r.Got = said(is.Status)
	switch is.Status {
	case "active", "expiring":
		r.Outcome = Pass
	case "approved", "activating":
		r.Outcome, r.Why = Wait, "The customer approved it; it is becoming active."
	case "created", "approvalPending":
		r.Outcome, r.Why, r.Fix = Fail, "The customer has not approved it.", "send the invitation again, or ask the customer"
	default:
		r.Outcome, r.Why, r.Fix = Fail, "It gives no access.", "make a new relationship: an ended one cannot be revived"
	}
	p.add(r, AssignmentTakes)
}

// find is a group's assignment that is not on its way out, else the newest one that is.
func find(list []Assignment, group string) (Assignment, bool) {
	var out Assignment
	for i := range list {
		a := &list[i]
		if strings.EqualFold(a.Group, group) && (out.Status == "" || a.Status == "active" || a.Status == "pending") {
			out = *a
		}
	}
	return out, out.Status != "" && out.Status != "deleted"
}

func (p *prober) assignment(a *Access) {
	r := Result{Kind: AssignmentActive, Subject: a.Relationship + " " + a.Group, Want: names(a.Roles), Proof: ByState}
	list, err := p.list(a.Relationship)
	if err != nil {
		p.unknown(r, err)
		return
	}
	is, ok := find(list, a.Group)
	missing, more := less(a.Roles, is.Roles), less(is.Roles, a.Roles)
	switch {
	case !ok:
		r.Outcome, r.Got, r.Why = Wait, "not there", "The group has no access assignment of this relationship."
		r.Fix = "give the roles to the group"
	case is.Status == "error":
		r.Outcome, r.Got, r.Why = Fail, "error", "Microsoft could not give the roles to the group."
		r.Fix = "see whether the group still is there and is a security group, delete the assignment and make it again"
	case is.Status != "active":
		r.Outcome, r.Got, r.Why = Wait, said(is.Status), "It is not active yet."
	case len(missing) == 0 && len(more) == 0:
		r.Outcome, r.Got = Pass, names(is.Roles)
	default:
		r.Outcome, r.Got = Wait, names(is.Roles)
		if len(missing) > 0 {
			r.Why = "It lacks " + names(missing) + "."
		}
		if len(more) > 0 {
			r.Why = strings.TrimSpace(r.Why + " It has " + names(more) + " beyond what is wanted.")
		}
	}
	p.add(r, AssignmentTakes)
}

// over reports a relationship that gives no access for good.
func over(status string) bool {
	return status == "" || status == "terminated" || status == "expired"
}

func (p *prober) gone(a *Access) {
	r := Result{Kind: RelationshipEnded, Subject: a.Relationship, Want: "no access", Proof: ByState}
	if a.Group != "" {
		r.Kind, r.Subject = AssignmentGone, a.Relationship+" "+a.Group
	}
	rel, err := p.rel(a.Relationship)
	switch {
	case err != nil:
		p.unknown(r, err)
		return
	case over(rel.Status):
		r.Outcome, r.Got = Pass, said(rel.Status)
		p.add(r, 0)
		return
	case a.Group == "":
		r.Outcome, r.Got, r.Why = Wait, said(rel.Status), "The relationship is not ended."
		p.add(r, AssignmentTakes)
		return
	}
	list, err := p.list(a.Relationship)
	if err != nil {
		p.unknown(r, err)
		return
	}
	is, ok := find(list, a.Group)
	switch {
	case !ok:
		r.Outcome, r.Got = Pass, "not there"
	case is.Status == "error": // whether it still gives what it gave, nobody says
		r.Outcome, r.Got, r.Why = Unknown, "error", "Microsoft could not end it, and does not say whether it still gives access."
		r.Fix = "delete the assignment again, or end the relationship"
	default:
		r.Outcome, r.Got, r.Why = Wait, said(is.Status)+": "+names(is.Roles), "The group still has an access assignment."
	}
	p.add(r, AssignmentTakes)
}

// lost looks through every relationship for a role that a group should not have.
func (p *prober) lost(l *Lost) {
	r := Result{Kind: RoleGone, Subject: l.Group, Want: "no " + names([]string{l.Role}), Proof: ByState, Outcome: Pass, Got: "not there"}
	ids, err := p.c.Relationships(p.ctx, p.e.Customer)
	if err != nil {
		p.unknown(r, err)
		return
	}
	for _, id := range ids {
		list, err := p.list(id)
		if err != nil {
			p.unknown(r, err)
			return
		}
		is, ok := find(list, l.Group)
		if ok && len(less([]string{l.Role}, is.Roles)) == 0 {
			r.Outcome, r.Got, r.Why = Wait, said(is.Status)+" by "+print.Clean(id, 2*maxShown), "The group still has the role."
			if is.Status == "error" {
				r.Outcome, r.Why = Unknown, "Microsoft could not change it, and does not say whether it still gives access."
			}
			break
		}
	}
	p.add(r, AssignmentTakes)
}

func (p *prober) dap() {
	r := Result{Kind: DAPGone, Subject: "delegated administration privileges", Want: "no", Proof: ByState}
	is, err := p.c.DAP(p.ctx, p.e.Customer)
	switch {
	case err != nil:
		p.unknown(r, err)
		return
	case is == delegation.No:
		r.Outcome, r.Got = Pass, "no"
	case is == delegation.Yes:
		r.Outcome, r.Got, r.Why = Wait, "yes", "Partner Center shows that the partner still has DAP at this customer."
	default:
		r.Outcome, r.Proof, r.Got, r.Why = Unknown, ByNone, "not known", "Partner Center does not say whether there is DAP."
	}
	p.add(r, AssignmentTakes)
}

// token looks at what the connected account itself may do.
func (p *prober) token() {
	r := Result{Kind: TokenRoles, Subject: "the connected account", Proof: ByToken}
	mine, err := p.c.Groups(p.ctx)
	if err != nil {
		r.Want, r.Proof = "the roles of its groups", ByNone
		p.unknown(r, err)
		return
	}
	p.mine = mine
	var want []string
	for i := range p.e.Active {
		a := &p.e.Active[i]
		if slices.ContainsFunc(mine, func(g string) bool { return strings.EqualFold(g, a.Group) }) {
			want = append(want, less(a.Roles, want)...)
		}
	}
	r.Want = names(want)
	t, err := p.c.Token(p.ctx, p.e.Customer)
	if err != nil {
		r.Proof = ByNone
		p.unknown(r, err)
		return
	}
	if t.Account != "" {
		r.Subject = print.Clean(t.Account, 100)
	}
	p.judgeToken(&r, &t, want)
	p.add(r, MembershipTakes)
}

// judgeToken holds a token's roles against those that are wanted.
func (p *prober) judgeToken(r *Result, t *Token, want []string) {
	if t.Refused {
		r.Got = "no token: Entra ID says that it has no access there"
		switch {
		case len(want) > 0:
			r.Outcome, r.Why = Wait, "The account is in a group that should have access."
		case p.e.Whole || p.e.NoDAP:
			r.Outcome = Pass
		default:
			r.Outcome, r.Proof, r.Why = Unknown, ByNone, "The connected account is in none of these groups: its token says nothing of them."
		}
		return
	}
	if t.Roles == nil {
		r.Outcome, r.Proof, r.Got, r.Why = Unknown, ByNone, "not known", "The token does not say which roles the account has."
		return
	}
	has := less(t.Roles, []string{everybody})
	r.Got = names(has)
	missing, more := less(want, has), less(has, want)
	admin := slices.Contains(more, entra.RoleGlobalAdministrator)
	switch {
	case len(missing) > 0:
		r.Outcome, r.Why = Wait, "It lacks "+names(missing)+"."
	case p.e.Whole && len(more) > 0:
		r.Outcome, r.Why = Wait, "It has "+names(more)+", which nothing of this gives."
	case p.e.NoDAP && admin:
		r.Outcome, r.Why = Wait, "It has Global Administrator, which nothing of this gives: DAP is still felt, or another relationship gives it."
	case len(want) == 0 && !p.e.Whole && !p.e.NoDAP:
		r.Outcome, r.Proof, r.Why = Unknown, ByNone, "The connected account is in none of these groups: its token says nothing of them."
	default:
		r.Outcome = Pass
	}
}

// members asks whether anybody else of a group was seen at work there since.
func (p *prober) members() {
	if p.e.Since.IsZero() {
		return
	}
	asked := map[string]bool{}
	for i := range p.e.Active {
		a := &p.e.Active[i]
		if a.Group == "" || asked[a.Group] {
			continue
		}
		asked[a.Group] = true
		r := Result{Kind: MemberSeen, Subject: a.Group, Want: "a sign-in since " + p.e.Since.UTC().Format(time.RFC3339), Proof: BySignIn}
		at, err := p.c.SignedIn(p.ctx, p.e.Customer, a.Group, p.e.Since)
		switch {
		case err != nil:
			r.Proof = ByNone
			p.unknown(r, err)
			continue
		case at.IsZero():
			r.Outcome, r.Proof, r.Got, r.Why = Unknown, ByNone, "none seen", "Nobody of the group signed in there since: nobody tried it."
		default:
			r.Outcome, r.Got = Pass, "signed in "+at.UTC().Format(time.RFC3339)
		}
		p.add(r, 0)
	}
}

// less are the roles of a list that another lacks, lower case, each once.
func less(list, other []string) []string {
	out := []string{}
	for _, id := range list {
		id = strings.ToLower(id)
		if !slices.ContainsFunc(other, func(o string) bool { return strings.EqualFold(o, id) }) && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// names are roles for people.
func names(ids []string) string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		name := print.Clean(id, maxShown)
		if r, ok := entra.FindRole(strings.ToLower(id)); ok {
			name = r.Name
		}
		out = append(out, name)
	}
	slices.Sort(out)
	if len(out) == 0 {
		return "no role"
	}
	return strings.Join(out, ", ")
}
