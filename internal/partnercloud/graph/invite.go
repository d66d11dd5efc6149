package graph

import (
	"encoding/json"
	"net/mail"
	"net/url"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// mayInvite: whoever the authorization policy lets invite guests.
var mayInvite = allow("User.Invite.All User.ReadWrite.All Directory.ReadWrite.All").when(invites)

func invitationFields() fields {
	return fields{
		"invitedUserEmailAddress": text().need().upTo(256), "inviteRedirectUrl": text().need().upTo(2048), "invitedUserDisplayName": text().upTo(256),
		"sendInvitationMessage": flag(), "invitedUserType": enum("Guest Member"), "resetRedemption": flag(),
		"invitedUserMessageInfo": obj(fields{
			"ccRecipients":          list(obj(fields{"emailAddress": obj(fields{"name": text().upTo(256), "address": text().upTo(256)}).need()})).upTo(1),
			"customizedMessageBody": text(), "messageLanguage": text().upTo(20),
		}),
		"id": readOnly(), "inviteRedeemUrl": readOnly(), "status": readOnly(), "invitedUser": readOnly(),
	}
}

// guestUPN is the sign-in name of a guest: the address with its at sign replaced.
func guestUPN(t *world.Tenant, address string) string {
	domain := t.Domain()
	for _, d := range t.Domains {
		if isInitial(d) {
			domain = d
			break
		}
	}
	return strings.ReplaceAll(address, "@", "_") + "#EXT#@" + domain
}

// invite makes a guest who has not accepted yet (Microsoft Graph, "Create
// invitation"). No message is sent: nothing leaves the machine. A first sign-in
// accepts.
func invite(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := invitationFields().check("", c.in); err != nil {
		return nil, err
	}
	address := str(c.in, "invitedUserEmailAddress")
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address {
		return nil, badRequest("The invited user email address is not valid.")
	}
	if u, err := url.Parse(str(c.in, "inviteRedirectUrl")); err != nil || u.Host == "" {
		return nil, badRequest("The invite redirect URL is not valid.")
	}
	if truth(c.in, "resetRedemption") {
		return nil, badRequest("Resetting a redemption is not part of the partner cloud.")
	}
	home := s.Home(address)
	if home == t {
		return nil, badRequest("The domain of the email address is a verified domain of this directory: an internal user cannot be invited.")
	}
	u := t.UserByName(address)
	if u == nil {
		u = t.UserByName(guestUPN(t, address))
	}
	if u == nil {
		u = c.newGuest(s, t, home, address)
		ch := change{activity: "Invite external user", category: "UserManagement", operation: "Add", service: "Invited Users", target: userTarget(u)}
		ch.changed("InvitedUserEmailAddress", nil, []string{address})
		c.audit(s, t, ch)
	}
	status := "PendingAcceptance"
	if !u.More().Invited || !u.LastSuccess.IsZero() {
		status = "Completed"
	}
	q := url.Values{"rd": {"https://invitations.microsoft.com/redeem/?tenant=" + t.ID + "&user=" + u.ID}}
	info := inner(c.in, "invitedUserMessageInfo")
	copies := info["ccRecipients"]
	if copies == nil {
		copies = []object{{{"emailAddress", object{{"name", nil}, {"address", nil}}}}}
	}
	body := object{
		{"@odata.context", c.root() + "/$metadata#invitations/$entity"}, {"id", derivedID("invitation/" + u.ID)},
		{"inviteRedeemUrl", c.g.login + "/redeem?" + q.Encode()}, {"invitedUserDisplayName", c.in["invitedUserDisplayName"]},
		{"invitedUserType", "Guest"}, {"invitedUserEmailAddress", address}, {"sendInvitationMessage", truth(c.in, "sendInvitationMessage")},
		{"resetRedemption", false}, {"inviteRedirectUrl", str(c.in, "inviteRedirectUrl")}, {"status", status},
		{"invitedUserMessageInfo", object{
			{"messageLanguage", info["messageLanguage"]}, {"customizedMessageBody", info["customizedMessageBody"]},
			{"ccRecipients", copies},
		}},
		{"invitedUser", object{{"id", u.ID}}},
	}
	if !u.Guest {
		body[4].value = "Member"
	}
	rep, err := give(body)
	rep.status = 201
	return rep, err
}

func (c *call) newGuest(s *world.State, t, home *world.Tenant, address string) *world.User {
	name := str(c.in, "invitedUserDisplayName")
	if name == "" {
		name = localPart(address)
	}
	u := &world.User{
		ID: world.NewGUID(), UPN: guestUPN(t, address), Name: name, Mail: address, Guest: str(c.in, "invitedUserType") != "Member", Enabled: true,
		Created: c.now, Changed: s.Change(),
		Profile: &world.Profile{Invited: true, Props: map[string]json.RawMessage{"otherMails": appendValue(nil, []string{address})}},
	}
	if home != nil {
		u.HomeTenant = home.ID
		if at := home.UserByName(address); at != nil {
			u.HomeUser = at.ID
		}
	}
	t.Users.Put(u)
	s.Touch(t)
	return u
}
