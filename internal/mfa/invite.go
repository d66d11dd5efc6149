package mfa

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// leeway is how far clocks may differ.
const leeway = 5 * time.Minute

func (i *Invitation) row() *row {
	return &row{id: i.ID, look: i.hash, person: i.Person, state: i.State, ends: db.Micros(i.Ends), body: text(i), version: i.version, mark: i.mark}
}

func readInvitation(r *row) (i Invitation, err error) {
	if err := json.Unmarshal([]byte(r.body), &i); err != nil {
		return i, problem.Wrap(err, problem.Internal, "the invitation %s cannot be read", r.id)
	}
	i.ID, i.hash, i.Person, i.State, i.Ends, i.version, i.mark = r.id, r.look, r.person, r.state, db.Time(r.ends), r.version, r.mark
	return i, nil
}

// invitation reads one that can be used: kind problem.NotFound otherwise.
func (s *Store) invitation(ctx context.Context, id string) (Invitation, error) {
	r, err := s.one(ctx, invitations, id, "")
	return s.usable(ctx, r, err)
}

func (s *Store) usable(ctx context.Context, r row, err error) (i Invitation, _ error) {
	gone := problem.New(problem.NotFound, "This invitation cannot be used: it does not exist, was used, or is out of time").
		WithHint("Ask your help desk for a new one")
	if errors.Is(err, sql.ErrNoRows) {
		return i, gone
	}
	if err != nil {
		return i, err
	}
	said, err := s.said(ctx)
	if err != nil {
		return i, failed(err)
	}
	if err := s.holds(ctx, invitations, &r, said, audit.MFAInvited); errors.Is(err, vault.ErrForged) {
		return i, gone // its name is in the log and the trail, and not for whoever has a link
	} else if err != nil {
		return i, err
	}
	if i, err = readInvitation(&r); err != nil {
		return i, err
	}
	if now := s.now(); i.State != Waits || !now.Before(i.Ends) || now.Before(i.Made.Add(-leeway)) {
		return i, gone
	}
	return i, nil
}

func (s *Store) useInvitation(ctx context.Context, i *Invitation, p *Person) error {
	used := *i
	used.State = Used
	if err := s.update(ctx, invitations, used.row()); errors.Is(err, errLost) {
		return problem.New(problem.NotFound, "This invitation was used meanwhile").WithHint("Ask your help desk for a new one")
	} else if err != nil {
		return err
	}
	return s.record(ctx, audit.MFAInvitationUsed, audit.Done, "person:"+p.Account.Object, p, i.ID, "", nil)
}

// Invited finds the invitation of a link, with whose it is.
func (s *Store) Invited(ctx context.Context, link secret.Text) (Invitation, Person, error) {
	if len(link.Reveal()) > 100 {
		return Invitation{}, Person{}, problem.New(problem.NotFound, "There is no such invitation").WithHint("Ask your help desk for a new one")
	}
	r, err := s.one(ctx, invitations, "", quickHash(link))
	i, err := s.usable(ctx, r, err)
	if err != nil {
		return i, Person{}, err
	}
	p, err := s.Person(ctx, i.Person)
	return i, p, err
}

// BeginInvited begins a session by an invitation, which is used when a factor was added.
func (s *Store) BeginInvited(ctx context.Context, link secret.Text) (Session, secret.Text, error) {
	i, p, err := s.Invited(ctx, link)
	if err != nil {
		return Session{}, secret.Text{}, err
	}
	if p.State != Active {
		return Session{}, secret.Text{}, problem.New(problem.Forbidden, "The help desk has blocked this account's factors").WithHint("Ask your help desk")
	}
	return s.begin(ctx, Session{Person: i.Person, Kind: Enrolling, By: i.ID}, enrolFor)
}

// Invitations lists them, the newest first, unheld.
func (s *Store) Invitations(ctx context.Context) ([]Invitation, error) {
	rows, err := s.many(ctx, invitations, "")
	if err != nil {
		return nil, err
	}
	out := []Invitation{}
	for i := range rows {
		x, err := readInvitation(&rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b Invitation) int { return b.Made.Compare(a.Made) })
	return out, nil
}

// Invite invites an account that never had a factor here, and gives the address that it
// opens, once. Who had one is reset first, by two people: whoever can invite alone could
// otherwise take an account over. Kind problem.Conflict then.
func (s *Store) Invite(ctx context.Context, a Account, name, login, actor string) (Invitation, secret.Text, error) {
	if err := a.Check(); err != nil {
		return Invitation{}, secret.Text{}, err
	}
	var i Invitation
	var link secret.Text
	p, err := s.enter(ctx, a, "", "") // the names of who is not invited stay
	if err != nil {
		return i, link, err
	}
	if p.Had {
		return i, link, problem.New(problem.Conflict, "%s had a factor here before, and is not invited by one person alone", p.Called()).
			WithHint("partnerguard mfa reset %s asks a second person; the approval gives a new invitation", p.ID)
	}
	if p, err = s.enter(ctx, a, name, login); err != nil {
		return i, link, err
	}
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		i, link, err = s.invite(ctx, &p, actor)
		return err
	})
	return i, link, failed(err)
}

// invite makes an invitation in place of those that wait, in the transaction of ctx.
func (s *Store) invite(ctx context.Context, p *Person, actor string) (Invitation, secret.Text, error) {
	rows, err := s.many(ctx, invitations, p.ID)
	if err != nil {
		return Invitation{}, secret.Text{}, err
	}
	for k := range rows {
		if rows[k].state != Waits {
			continue
		}
		old, err := readInvitation(&rows[k])
		if err != nil {
			return old, secret.Text{}, err
		}
		if err := s.withdraw(ctx, p, &old, actor, "a new one was made"); err != nil {
			return old, secret.Text{}, err
		}
	}
	secretPart := token.Text()
	i := Invitation{ID: token.ID("mi"), Person: p.ID, By: actor, Made: s.now(), State: Waits, hash: quickHash(secretPart)}
	i.Ends = i.Made.Add(s.conf.InviteLife)
	if err := s.insert(ctx, invitations, i.row()); err != nil {
		return i, secret.Text{}, err
	}
	err = s.record(ctx, audit.MFAInvited, audit.Done, actor, p, i.ID, "", map[string]string{"until": i.Ends.Format(time.RFC3339)})
	return i, secret.New(s.d.Public + "/mfa/enrol/" + secretPart.Reveal()), err
}

func (s *Store) withdraw(ctx context.Context, p *Person, i *Invitation, actor, why string) error {
	gone := *i
	gone.State = Withdrawn
	if err := s.update(ctx, invitations, gone.row()); err != nil {
		return err
	}
	return s.record(ctx, audit.MFAInvitationGone, audit.Done, actor, p, i.ID, why, nil)
}

// WithdrawInvitation ends an invitation that waits.
func (s *Store) WithdrawInvitation(ctx context.Context, id, actor string) error {
	i, err := s.invitation(ctx, id)
	if err != nil {
		return problem.New(problem.NotFound, "no invitation %.40q waits", id)
	}
	p, err := s.Person(ctx, i.Person)
	if err != nil {
		return err
	}
	return failed(s.d.DB.InTx(ctx, func(ctx context.Context) error { return s.withdraw(ctx, &p, &i, actor, "") }))
}
