package authority

import (
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// silent is a token for a user without the user: by refresh token, code for
// another resource, or on behalf of. How it came is told by the fields.
type silent struct {
	proof        proof
	kind         string // signon.Browser, signon.Native …
	incoming     string // incomingTokenType as logged
	protocol     string
	transfer     string
	issued       string // of the grant, for error texts
	confidential bool
	quiet        bool    // no row: the sign-in behind it has one
	from         *origin // of the sign-in, when this is its end; nil: of this request
}

// silently weighs a silent request with the rights, consents and policies of
// this moment, and makes the claims. It is called under the world's lock and
// writes the sign-in row.
func (a *Authority) silently(s *world.State, tr *tokenRequest, t *target, g *silent) (subject, *bundle, *oauth.Fault) {
	sub, fault := resolve(s, tr.path, g.proof.home, g.proof.user, tr.client.AppID)
	if sub.user == nil {
		return sub, nil, fault
	}
	at := tr.attempt(sub, tr.client, t, &g.proof)
	at.Client, at.IncomingTokenType, at.Protocol, at.TransferMethod = g.kind, g.incoming, g.protocol, g.transfer
	if g.from != nil {
		g.from.on(at)
	}
	fail := func(f *oauth.Fault) (subject, *bundle, *oauth.Fault) {
		logRefused(s, at, f.Code)
		return sub, nil, f
	}
	if fault != nil {
		at.Tenant = sub.home // they have nothing in the other tenant: the row is at home
		return fail(fault)
	}
	if !sub.self.Enabled || !sub.user.Enabled {
		return fail(oauth.Refuse(entra.CodeUserDisabled))
	}
	// A password that ran out does not end what was issued by it.
	fresh := *sub.user
	fresh.PasswordExpired = false
	at.User = &fresh
	scopes, fault := granted(s, sub, tr.client, t)
	if fault != nil {
		return fail(fault)
	}
	r, contexts := judge(s, at, tr.ask)
	if r.Outcome != signon.Allow {
		logSignIn(s, at, &r, -1, "")
		return sub, nil, refusal(&r, t, g.issued)
	}
	b := &bundle{access: a.accessToken(tr.request, s, sub, tr.client, t, &g.proof, scopes, tr.ask, contexts), scope: t.answer(scopes), v1: tr.v1}
	if at.IP.IsValid() {
		b.access.IPAddr = at.IP.String()
	}
	a.remember(tr.request, t, &g.proof, b)
	if t.openid {
		b.id = a.idToken(tr.request, sub, tr.client, t, &g.proof, tr.ask, "", false)
	}
	if tr.form.Get("client_info") == "1" || t.v1 {
		b.info = clientInfo(sub)
	}
	if !g.quiet {
		logSignIn(s, at, &r, -1, b.access.UTI)
		note(s, sub, false)
	}
	return sub, b, nil
}

// remember keeps the proof behind a token of a registered API, which may come
// back as the assertion of an on-behalf-of request: a v2 token tells no amr.
func (a *Authority) remember(q *request, t *target, p *proof, b *bundle) {
	if t.res.Owner == "" {
		return
	}
	kept := *p
	kept.fresh = false
	a.proofs.put(q.now, q.now.Add(28*60*60*1e9), b.access.UTI, kept)
}
