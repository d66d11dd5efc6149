package suite

import (
	"context"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/secret"
)

// Invite makes an invitation for a partner tenant, id or domain, and gives the
// address to send.
func (s *Suite) Invite(ctx context.Context, i onboard.Invitation, life time.Duration) (onboard.Invitation, string, error) {
	if s.d.Public == "" {
		return i, "", problem.New(problem.Usage, "nobody can be invited: how this server is reached from outside is not set").
			WithHint("set publicURL (or PARTNERGUARD_PUBLIC_URL), e.g. https://guard.contoso.example, here and for serve")
	}
	d, err := s.d.API.Discover(ctx, s.d.Cloud, i.Tenant)
	if err != nil {
		return i, "", err
	}
	i.Tenant, i.MadeBy = d.Tenant, s.d.Actor
	var link secret.Text
	var made onboard.Invitation
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if made, link, err = s.Invited().Make(ctx, i, life); err != nil {
			return err
		}
		return s.past.Record(ctx, audit.Event{Action: audit.InvitationMade, Outcome: audit.Done, Actor: s.d.Actor, Object: made.ID, Tenant: made.Tenant,
			Details: map[string]string{"clientId": made.ClientID}})
	})
	if err != nil {
		return i, "", err
	}
	i = made
	return i, s.d.Public + onboard.Prefix + link.Reveal(), nil
}

// Invited is the store of the invitations, which the audit trail remembers.
func (s *Suite) Invited() *onboard.Store {
	st := onboard.NewStore(s.d.DB, s.d.Vault, s.d.Now)
	st.Remember(s.past)
	return st
}

// Invitations lists the invitations, newest first.
func (s *Suite) Invitations(ctx context.Context) ([]onboard.Invitation, error) {
	return s.Invited().List(ctx)
}

// Withdraw deletes an invitation that waits.
func (s *Suite) Withdraw(ctx context.Context, id string) error {
	return s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.Invited().Withdraw(ctx, id); err != nil {
			return err
		}
		return s.past.Record(ctx, audit.Event{Action: audit.InvitationWithdrawn, Outcome: audit.Done, Actor: s.d.Actor, Object: id})
	})
}
