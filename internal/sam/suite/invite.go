package suite

import (
	"context"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
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
	if i.Name != "" { // told now, not by another name when the partner has consented
		if err := s.Store.MayName(ctx, i.Name, d.Tenant, i.ClientID); err != nil {
			return i, "", err
		}
	}
	if i.Name == "" && !strings.EqualFold(i.Tenant, d.Tenant) {
		i.Name = i.Tenant // the domain, by which the partner knows it; where it is taken the connection gets a number
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

// TakesCallback says whether the app of an invitation has our callback among its
// redirect URIs: where it lacks it, the partner's sign-in ends on a page of Entra ID
// that says AADSTS50011, days after the invitation was sent.
func (s *Suite) TakesCallback(ctx context.Context, clientID string) (callback string, takes bool, err error) {
	callback = s.d.Public + onboard.Callback
	r, err := s.Store.Registration(ctx, clientID)
	if err != nil {
		return callback, false, err
	}
	takes, err = s.d.API.TakesRedirect(ctx, s.d.Cloud, r.Tenant, r.ClientID, callback)
	return callback, takes, err
}

// Standing are the connections that a consent of a tenant to an app may renew: it
// takes the place of the same account's.
func (s *Suite) Standing(ctx context.Context, tenant, clientID string) (there []sam.Connection, err error) {
	d, err := s.d.API.Discover(ctx, s.d.Cloud, tenant)
	if err != nil {
		return nil, err
	}
	all, err := s.Store.List(ctx)
	for _, c := range all {
		if strings.EqualFold(c.Tenant, d.Tenant) && strings.EqualFold(c.ClientID, clientID) {
			there = append(there, c)
		}
	}
	return there, err
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
