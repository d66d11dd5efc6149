package attack

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
	"partnerguard/internal/web"
)

// answer is what a caller got.
type answer struct {
	status int
	body   string
	token  string // what the token that came is for, in words; "" none came
}

// door gives what lets a caller of the policy ask for a Graph token of fabrikam.
func (h *house) door(s *app.Installation) func(caller string) answer {
	b, err := s.SAM.Broker()
	if err == nil {
		var p *broker.Policy
		if p, err = broker.ParsePolicy("policy", h.policy); err == nil {
			err = b.SetPolicy(p)
		}
	}
	if err != nil {
		return func(string) answer { return answer{status: 500, body: err.Error()} }
	}
	handler := web.NewKernel(web.Deps{})
	b.Server(broker.ServerOptions{Certificate: h.callers["billing"]}).Mount(handler) // which names the host
	return func(caller string) answer {
		r := httptest.NewRequest(http.MethodGet, broker.Path+"?api-version=2019-08-01&resource="+url.QueryEscape(graph)+"&customer="+h.fabrikam, nil)
		r.Host = "guard.example"
		r.Header.Set("X-Identity-Header", "x")
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{h.callers[caller]}}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		a := answer{status: w.Code, body: w.Body.String()}
		var got struct {
			Token string `json:"access_token"`
		}
		if json.Unmarshal(w.Body.Bytes(), &got) == nil && got.Token != "" {
			a.token = claims(got.Token)
		}
		return a
	}
}

// claims says what an access token is for.
func claims(raw string) string {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return "no token"
	}
	b, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var c struct{ Aud, Tid, Oid, Upn, Appid, Azp string }
	_ = json.Unmarshal(b, &c)
	return fmt.Sprintf("aud %s tid %s oid %s app %s%s", c.Aud, c.Tid, c.Oid, c.Appid, c.Azp)
}

// day is what came of one day in the life of an installation.
type day struct {
	refused string // why it did not open
	sent    map[string]bool
	tokens  map[string]answer // by caller
	check   vault.Check
	said    []string // everything that was told: findings, errors, notes
	status  map[string]renew.StatusRow
	renewed map[string]renew.Outcome
	opened  map[string]string // what links of invitations led to
	intents string
	silent  map[string]bool // whose alerts are silent, and what is vouched for
	in      map[string]bool // who is in the console or may come in, and as whom
	swapped string          // an approval that somebody got who may not
	trail   string          // why the trail does not hold; "" it does
}

func (d *day) tell(format string, args ...any) { d.said = append(d.said, fmt.Sprintf(format, args...)) }

// names says whether anything that was told has one of the words.
func (d *day) names(words ...string) bool {
	all := d.refused + "\n" + d.trail + "\n" + strings.Join(d.said, "\n")
	for _, w := range words {
		if w != "" && strings.Contains(all, w) {
			return true
		}
	}
	return false
}

// live opens the installation and does everything that uses a row of it.
func (h *house) live() *day {
	h.Helper()
	ctx := h.Context()
	d := &day{tokens: map[string]answer{}, status: map[string]renew.StatusRow{}, renewed: map[string]renew.Outcome{}, opened: map[string]string{}}
	defer func() { d.sent = h.net.seen() }()
	s, err := h.open()
	if err != nil {
		d.refused = err.Error()
		return d
	}
	defer func() {
		if err := s.Close(); err != nil {
			d.tell("close: %v", err)
		}
	}()
	d.said = append(d.said, s.Notes()...)
	if d.check, err = s.Vault.Check(ctx, nil); err != nil {
		d.tell("check: %v", err)
	}
	for _, x := range d.check.Damaged {
		d.tell("check: %s: %s", x.Ref, x.Reason)
	}
	h.renewals(ctx, s, d)
	door := h.door(s)
	for name := range h.callers {
		d.tokens[name] = door(name)
		d.tell("%s: %d %s", name, d.tokens[name].status, problems(d.tokens[name].body))
	}
	h.people(ctx, s, d)
	h.exceptions(ctx, s, d)
	h.alerts(ctx, s, d)
	h.papers(ctx, s, d)
	if h.serves {
		if _, err := s.Serve(ctx, app.ServeOptions{}); err != nil {
			d.tell("serve: %v", err)
		}
		time.Sleep(1500 * time.Millisecond) // the queue looks every second
	}
	return d
}

// problems is an answer without tokens.
func problems(body string) string {
	if strings.Contains(body, "access_token") {
		return "a token"
	}
	return body
}

// renewals looks at connect status, then renews everything.
func (h *house) renewals(ctx context.Context, s *app.Installation, d *day) {
	r, err := s.SAM.Renewer()
	if err != nil {
		d.tell("renew: %v", err)
		return
	}
	rows, err := r.Status(ctx, nil)
	if err != nil {
		d.tell("status: %v", err)
	}
	for _, row := range rows {
		d.status[row.Connection.ID] = row
		d.tell("status %s: %s", row.Connection.ID, row.Words())
	}
	list, err := s.SAM.Store.List(ctx)
	if err != nil {
		d.tell("list: %v", err)
	}
	ids := []string{h.first, h.second}
	for _, c := range list {
		if c.ID != h.first && c.ID != h.second {
			ids = append(ids, c.ID)
		}
	}
	for _, id := range ids {
		res, err := r.Once(ctx, id)
		d.renewed[id] = res.Outcome
		d.tell("renew %s: %s %s %v", id, res.Outcome, res.Note, err)
	}
}

// people tries to approve what waits as those who may not.
func (h *house) people(ctx context.Context, s *app.Installation, d *day) {
	b, err := s.SAM.Broker()
	if err != nil {
		return
	}
	p, err := broker.ParsePolicy("policy", h.policy)
	if err == nil {
		err = b.SetPolicy(p)
	}
	if err != nil {
		d.tell("policy: %v", err)
	}
	list, err := b.Approvals(ctx)
	if err != nil {
		d.tell("approvals: %v", err)
	}
	ids := map[string]bool{h.waits: true}
	for _, a := range list {
		ids[a.ID] = true
	}
	for id := range ids {
		for _, who := range []string{"local:eve", "waits", "mtls:waits", "mtls:ops"} {
			if a, err := b.Approve(ctx, id, who); err == nil {
				d.swapped = fmt.Sprintf("%s approved %s for %s", who, id, a.Caller)
			} else {
				d.tell("approve %s: %v", id, err)
			}
		}
	}
}

// papers looks at invitations, consents under way, and the trail.
func (h *house) papers(ctx context.Context, s *app.Installation, d *day) {
	store := s.SAM.Invited()
	for name, link := range map[string]string{"waits": h.link.Reveal(), "used": h.used.Reveal(), "guess": "x", "none": ""} {
		if i, err := store.Open(ctx, secret.New(link)); err == nil {
			b, _ := json.Marshal(i)
			d.opened[name] = string(b)
		} else {
			d.tell("invitation %s: %v", name, err)
		}
	}
	if _, err := s.SAM.Invitations(ctx); err != nil {
		d.tell("invitations: %v", err)
	}
	got, err := consent.NewIntents(s.DB, s.Vault).Open(ctx, h.first)
	if err != nil {
		d.tell("intents: %v", err)
	}
	var words []string
	for k, v := range got {
		b, _ := json.Marshal(v)
		words = append(words, k+" "+string(b))
	}
	sort.Strings(words)
	d.intents = strings.Join(words, "\n")
	anchors, err := s.Keeper.Anchors()
	if err != nil {
		d.tell("anchors: %v", err)
	}
	known, err := s.Keeper.Verifiers(ctx)
	if err != nil {
		d.tell("trail key: %v", err)
	}
	rep, err := s.Trail.VerifyAnchored(ctx, nil, known, anchors)
	if err == nil {
		err = rep.Err()
	}
	if err != nil {
		d.trail = "trail: " + err.Error()
	}
	for _, a := range rep.Anchors {
		if a.Unsaid != "" {
			d.tell("trail anchor: %s", a.Unsaid)
		}
	}
	if _, err := s.Keeper.Send(ctx, true); err != nil {
		d.tell("trail: %v", err)
	}
}

// harm lists what a day did that must not be, beside the day of the untouched
// installation. What is merely refused, or fails, is no harm.
func (h *house) harm(good, d *day) (list []string) {
	bad := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if n := h.thief.calls.Load(); n > 0 {
		bad("the thief was called %d times", n)
	}
	for s := range d.sent {
		if !good.sent[s] {
			bad("a secret left as never before: %s", s)
		}
	}
	for name, a := range d.tokens {
		was := good.tokens[name]
		if a.token != "" && a.token != was.token {
			bad("%s got a token for %s, not %s", name, a.token, was.token)
		}
		if a.status == 200 && was.status != 200 {
			bad("%s got an answer that it may not have", name)
		}
	}
	if d.swapped != "" {
		bad("%s", d.swapped)
	}
	for name, i := range d.opened {
		if i != good.opened[name] {
			bad("the invitation %q led to %s, not %s", name, i, good.opened[name])
		}
	}
	for who := range d.in {
		if !good.in[who] {
			bad("in the console is, or may come, %s, and was not", who)
		}
	}
	for what, silent := range d.silent {
		if silent && !good.silent[what] {
			bad("it is silent about %q, or vouched for, and was not", what)
		}
	}
	if d.intents != "" && !subset(d.intents, good.intents) {
		bad("consents under way are %s, not %s", d.intents, good.intents)
	}
	for id := range d.renewed {
		if id != h.first && id != h.second && d.renewed[id] == renew.Renewed {
			bad("a connection %s was renewed that is none", id)
		}
	}
	return list
}

func subset(a, b string) bool {
	for _, line := range strings.Split(a, "\n") {
		if !strings.Contains(b, line) {
			return false
		}
	}
	return true
}

// good is the day of the untouched installation; it must be a good one.
func (h *house) good(t testing.TB) *day {
	t.Helper()
	d := h.live()
	for name, status := range map[string]int{"billing": 200, "ops": 200, "waits": 403, "stranger": 403} {
		if d.tokens[name].status != status {
			t.Fatalf("%s: %d %s", name, d.tokens[name].status, d.tokens[name].body)
		}
	}
	if d.refused != "" || d.check.Bad+d.check.Forged != 0 || d.trail != "" || len(d.sent) < 5 || d.opened["waits"] == "" || d.opened["used"] != "" ||
		d.intents == "" || !d.silent[excepted] || d.silent[asksFor] || len(d.silent) != 7 ||
		len(d.in) < 2 {
		t.Fatalf("%+v", d)
	}
	for _, id := range []string{h.first, h.second} {
		if d.renewed[id] != renew.Renewed {
			t.Fatalf("%s: %v", id, d.said)
		}
	}
	return d
}

func hashOf(link string) string {
	sum := sha256.Sum256([]byte(link))
	return hex.EncodeToString(sum[:])
}
