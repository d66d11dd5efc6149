package attack

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/console"
	"partnerguard/internal/web"
)

// consoled fills the console's tables: a link that waits, somebody who is in, a role and
// a token.
func (h *house) consoled(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	k := web.NewKernel(web.Deps{})
	s.Console.Enter(k)
	for n := range 2 { // the first is used
		where, err := s.Console.Link(ctx, "local:owner", "http://127.0.0.1:8443")
		h.ok(err)
		if n == 1 {
			break
		}
		q := httptest.NewRequest(http.MethodPost, strings.TrimPrefix(where, "http://127.0.0.1:8443"), nil)
		q.Host, q.RemoteAddr = "127.0.0.1:8443", "127.0.0.1:40000"
		w := httptest.NewRecorder()
		if k.ServeHTTP(w, q); w.Code != http.StatusSeeOther {
			h.Fatalf("the link does not let in: %d %s", w.Code, w.Body)
		}
	}
	_, err := s.Console.Give(ctx, console.Grant{Tenant: h.lab().Info.Tenant.ID, Kind: console.KindUser, Subject: "22222222-0000-4000-8000-000000000001",
		Name: "Ada", Role: console.RoleReader, Customers: []string{h.fabrikam}}, "local:owner")
	h.ok(err)
	_, _, err = s.Console.MakeToken(ctx, console.Token{Name: "billing", Rights: []string{"customers.see"}, Customers: []string{h.fabrikam},
		Ends: s.Now().Add(90 * 24 * time.Hour)}, "local:owner")
	h.ok(err)
}

// whoIsIn tells who is in the console, or may come in, and as whom.
func (h *house) whoIsIn(ctx context.Context, s *app.Installation, d *day) {
	d.in = map[string]bool{}
	say := func(refused, format string, args ...any) {
		if refused != "" {
			d.tell("console: %s", refused)
			return
		}
		d.in[fmt.Sprintf(format, args...)] = true
	}
	sessions, err := s.Console.Sessions(ctx)
	if err != nil {
		d.tell("console: %v", err)
	}
	for i := range sessions {
		x := &sessions[i]
		say(x.Refused, "%s as %s at %v until %s, %s", x.Actor, x.Role, x.Customers, x.Ends, x.ID)
	}
	grants, err := s.Console.Grants(ctx)
	if err != nil {
		d.tell("console: %v", err)
	}
	for i := range grants {
		x := &grants[i]
		say(x.Refused, "%s %s of %s as %s at %v", x.Kind, x.Subject, x.Tenant, x.Role, x.Customers)
	}
	tokens, err := s.Console.Tokens(ctx)
	if err != nil {
		d.tell("console: %v", err)
	}
	for i := range tokens {
		x := &tokens[i]
		say(x.Refused, "token %s may %v at %v until %s", x.ID, x.Rights, x.Customers, x.Ends)
	}
	h.whoMails(ctx, s, d, say)
	h.whoMoves(ctx, s, d, say)
	h.whoBudgets(ctx, s, d, say)
	h.whoIsRevoked(ctx, s, d, say)
	h.whoAnswers(ctx, s, d, say)
	h.whoContains(ctx, s, d, say)
	h.whoRemedies(ctx, s, d, say)
}
