package portal

import (
	_ "embed" // the script
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/page"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/print"
)

// The admin center, as far as a customer's administrator answers a partner there:
// the link that the partner sends leads to its offer of delegated administration.

//go:embed link.js
var linkJS []byte

const (
	adminCookie = "partnercloud_admin"
	offersAt    = "/AdminPortal/partners/invitation/granularAdminRelationships/"
)

// answerers are the roles of a customer that answer for it (contracts-2026-11.md,
// row 3.11): the second does nothing else.
var answerers = []string{entra.RoleGlobalAdministrator, entra.RoleCustomerRelationshipAdministrator}

func (p *Portal) adminRoutes() {
	// The link is .../AdminPortal/Home#/partners/invitation/...; older ones are
	// written with a small p.
	for _, home := range []string{"/AdminPortal/Home", "/Adminportal/Home", "/AdminPortal/home"} {
		p.mux.HandleFunc("GET "+home, p.invitationLink)
	}
	p.mux.HandleFunc("GET /AdminPortal/link.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(linkJS)
	})
	p.mux.HandleFunc("GET /AdminPortal/partners/invitation", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, offersAt+url.PathEscape(strings.TrimSpace(r.URL.Query().Get("id"))), http.StatusSeeOther)
	})
	p.mux.HandleFunc("GET "+offersAt+"{id}", p.asAdmin(p.showOffer))
	p.mux.HandleFunc("POST "+offersAt+"{id}", p.asAdmin(p.answerOffer))
	p.mux.HandleFunc("GET "+resellerAt+"{partner}", p.asAdmin(p.showReseller))
	p.mux.HandleFunc("POST "+resellerAt+"{partner}", p.asAdmin(p.acceptReseller))
	p.mux.HandleFunc("POST /AdminPortal/signout", p.adminOut)
}

// invitationLink is where both links lead: one of a reseller says so in its query,
// of the other a script takes the id from behind its #.
func (p *Portal) invitationLink(w http.ResponseWriter, r *http.Request) {
	if q := r.URL.Query(); strings.EqualFold(q.Get("invType"), "ResellerRelationship") {
		http.Redirect(w, r, resellerAt+url.PathEscape(q.Get("partnerId")), http.StatusSeeOther)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", h.Get("Content-Security-Policy")+"; script-src 'self'")
	p.show(w, r, http.StatusOK, view{Title: "Offers of partners", Kind: "invitation-link", Admin: true})
}

// adminVisit is a page looked at by a customer's administrator.
type adminVisit struct {
	w       http.ResponseWriter
	r       *http.Request
	session session
	user    *world.User
	name    string // of the organisation
	now     time.Time
}

func (v *adminVisit) message(p *Portal, status int, title, text string) {
	p.show(v.w, v.r, status, view{Title: title, Kind: "message", Message: text, Admin: true, User: v.user.Name, CSRF: v.session.csrf})
}

// asAdmin lets in who is signed in and holds one of the roles at this moment.
func (p *Portal) asAdmin(f func(*adminVisit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, found := p.sessionOf(r, adminCookie)
		v := &adminVisit{w: w, r: r, session: s, now: p.world.Clock.Now()}
		may := false
		if found {
			p.world.Read(func(st *world.State) {
				if t := st.Tenant(s.tenant); t != nil {
					v.name, v.user = t.Name, t.Users.Get(s.user)
					may = t.HasRole(s.user, v.now, answerers...)
				}
			})
		}
		switch {
		case !found || v.user == nil || !v.user.Enabled || v.user.SessionsValidFrom.After(s.created):
			if r.Method != http.MethodGet {
				p.show(w, r, http.StatusForbidden, view{Title: "You are not signed in", Kind: "message", Admin: true,
					Message: "Open the partner's link again."})
				return
			}
			p.toAuthority(w, r, errand{tenant: "organizations", resource: entra.AppGraph, back: local(r.URL.EscapedPath()), admin: true})
		case !may:
			v.message(p, http.StatusForbidden, "You may not answer for your organisation", "This needs Global Administrator or Customer Delegated Admin "+
				"Relationship Administrator of your organisation. Your account "+v.user.UPN+" holds neither.")
		default:
			f(v)
		}
	}
}

// adminArrived begins the session of a customer's administrator.
func (p *Portal) adminArrived(w http.ResponseWriter, r *http.Request, one *pending, access, id *bearer.Claims, fail func(int, string)) {
	now := p.world.Clock.Now()
	name := ""
	customer := false
	p.world.Read(func(s *world.State) {
		t := s.Tenant(access.TenantID)
		if customer = t != nil && t.ID != s.Partner && access.HomeTenant == ""; customer {
			if u := t.Users.Get(access.ObjectID); u != nil {
				name = u.Name
			}
		}
	})
	if !customer || id.ObjectID != access.ObjectID || id.TenantID != access.TenantID {
		fail(http.StatusForbidden, "An offer is answered by an administrator of the customer: this account belongs to the partner, or works on behalf.")
		return
	}
	p.forget(w, r, adminCookie)
	p.remember(w, r, adminCookie, &session{
		tenant: access.TenantID, user: access.ObjectID, upn: access.UPN, name: name, ip: ipOf(access, r), mfa: access.HasMFA(), amr: access.AMR,
		csrf: world.NewSecret(), created: now, ends: now.Add(sessionFor), inside: map[string]entry{}, admin: true,
	})
	http.Redirect(w, r, one.back, http.StatusSeeOther)
}

func (p *Portal) adminOut(w http.ResponseWriter, r *http.Request) {
	s, found := p.sessionOf(r, adminCookie)
	if found && (r.ParseForm() != nil || !same(r.PostForm.Get("csrf"), s.csrf)) {
		p.show(w, r, http.StatusForbidden, view{Title: "This form is not from here", Kind: "message", Admin: true, Message: "Open the partner's link again.",
			User: s.name, CSRF: s.csrf})
		return
	}
	p.forget(w, r, adminCookie)
	p.show(w, r, http.StatusOK, view{Title: "You are signed out", Kind: "message", Admin: true, Message: "The session of this admin center is over."})
}

// invitation is an offer as the customer reads it.
type invitation struct {
	Partner, Domain, Name, Organisation, Duration, Extend, Ends, Lapses string
	Said                                                                page.Said
	Open                                                                bool
	Roles                                                               []askedRole
	Privileged                                                          int
}

type askedRole struct {
	Name, About string
	Privileged  bool
}

// offer finds the offer of the path for the visitor's organisation: one that is its
// own, or for whoever answers first. It is called under the world's lock.
func (v *adminVisit) offer(s *world.State) (*world.Tenant, *world.Relationship) {
	partner := s.PartnerTenant()
	if partner == nil {
		return nil, nil
	}
	r := partner.Relationships.Get(strings.ToLower(v.r.PathValue("id")))
	if r == nil || r.StatusAt(v.now) == "created" || r.Customer != "" && !strings.EqualFold(r.Customer, v.session.tenant) {
		return partner, nil
	}
	return partner, r
}

// words of a relationship's status, as a customer reads them.
func statusSaid(status string) page.Said {
	switch status {
	case "approvalPending":
		return page.Said{Tone: print.Muted, Word: "waits for your answer"}
	case "activating", "approved":
		return page.Said{Tone: print.Good, Word: "accepted, becoming active"}
	case "active":
		return page.Said{Tone: print.Good, Word: "active"}
	case "expired":
		return page.Said{Tone: print.Muted, Word: "expired"}
	}
	return page.Said{Tone: print.Muted, Word: "ended or rejected"}
}

const dateForm = "2 January 2006"

func (p *Portal) showOffer(v *adminVisit) {
	var x *invitation
	p.world.Read(func(s *world.State) {
		partner, r := v.offer(s)
		if r == nil {
			return
		}
		status := r.StatusAt(v.now)
		x = &invitation{Partner: partner.Name, Domain: partner.Domain(), Name: r.Name, Organisation: v.name, Duration: r.Duration, Extend: "off",
			Said: statusSaid(status), Open: status == "approvalPending"}
		if d, ok := kit.ISODuration(r.Duration); ok {
			x.Duration = strconv.Itoa(int(d.Hours()/24)) + " days"
		}
		if r.AutoExtends() {
			x.Extend = "on: 180 days more whenever it would end"
		}
		if x.Open && !r.Offered.IsZero() {
			x.Lapses = r.Offered.Add(world.OfferLapse).UTC().Format(dateForm)
		}
		if !x.Open && !r.Ends.IsZero() {
			x.Ends = r.EndAt(v.now).UTC().Format(dateForm)
		}
		for _, id := range r.Roles {
			one := askedRole{Name: world.RoleName(id), Privileged: entra.PrivilegedRole(id)}
			if role, known := entra.FindRole(id); known {
				one.About = role.Gist
			}
			if one.Privileged {
				x.Privileged++
			}
			x.Roles = append(x.Roles, one)
		}
	})
	if x == nil {
		v.message(p, http.StatusNotFound, "There is no such offer", "No partner offers your organisation a relationship with this id.")
		return
	}
	p.show(v.w, v.r, http.StatusOK, view{Title: "Offer of " + x.Partner, Kind: "invitation", Admin: true, User: v.user.Name, CSRF: v.session.csrf, Invite: x})
}

// answerOffer takes a yes or no, and writes it into the logs of both sides.
func (p *Portal) answerOffer(v *adminVisit) {
	if v.r.ParseForm() != nil || !same(v.r.PostForm.Get("csrf"), v.session.csrf) {
		v.message(p, http.StatusForbidden, "This form is not from here", "Open the partner's link again and answer there.")
		return
	}
	decision := v.r.PostForm.Get("decision")
	if decision != "accept" && decision != "reject" {
		v.message(p, http.StatusBadRequest, "This is no answer", "Accept or reject the offer.")
		return
	}
	found, open := false, false
	p.world.Read(func(s *world.State) {
		partner, r := v.offer(s)
		if found = r != nil; !found || r.StatusAt(v.now) != "approvalPending" {
			return
		}
		d, ok := kit.ISODuration(r.Duration)
		if open = ok; !ok {
			return
		}
		v.answer(s, partner, r, decision == "accept", d)
	})
	switch {
	case !found:
		v.message(p, http.StatusNotFound, "There is no such offer", "No partner offers your organisation a relationship with this id.")
	case !open:
		v.message(p, http.StatusConflict, "The offer is not open any more", "It was answered already, or it has lapsed.")
	default:
		http.Redirect(v.w, v.r, v.r.URL.EscapedPath(), http.StatusSeeOther)
	}
}

// answer changes the relationship. It is called under the world's lock.
func (v *adminVisit) answer(s *world.State, partner *world.Tenant, r *world.Relationship, yes bool, d time.Duration) {
	t := s.Tenant(v.session.tenant)
	next := *r
	before := r.StatusAt(v.now)
	next.Answer(t, yes, d, v.now)
	action := map[bool]string{true: "approve", false: "reject"}[yes]
	next.Asks = append(slices.Clone(r.Asks), world.RelationshipRequest{ID: world.NewGUID(), Action: action,
		Status: "succeeded", Created: v.now, Changed: v.now})
	next.ETag++
	next.Changed = v.now
	partner.Relationships.Put(&next)
	s.Touch(partner)
	name, ip := v.user.Name, v.session.ip
	for _, side := range []*world.Tenant{partner, t} {
		s.Audit(side, &world.DirectoryAudit{
			Activity: "Delegated admin relationship request: " + action, Category: "CrossTenantAccessSettings", Operation: "Update",
			Service: "Partner Customer Delegated Administration", Correlation: world.NewGUID(),
			By: world.Initiator{User: &world.AuditUser{ID: v.user.ID, UPN: v.user.UPN, Name: &name, IP: &ip}},
			Targets: []world.AuditTarget{{ID: r.ID, Name: &next.Name, Type: "DelegatedAdminRelationship", Modified: []world.Modified{
				{Name: "Status", Old: strconv.Quote(before), New: strconv.Quote(next.StatusAt(v.now))}}}},
			Details: []world.KeyValue{{Key: "CustomerTenantId", Value: t.ID}},
		})
	}
	if yes {
		s.RecordGDAP(&world.AuditRecord{ResourceType: "granular_admin_relationship", Operation: "granular_admin_relationship_approved", UPN: v.user.UPN,
			AppID: entra.AppM365Admin}, &next, "")
	}
}
