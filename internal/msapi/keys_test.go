package msapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/problem"
)

// issuer is an authority whose documents a test makes.
type issuer struct {
	docs, keys atomic.Int64 // readings of each kind
	now        atomic.Int64 // seconds
	key        func(r *http.Request) (*http.Response, error)
	hold       atomic.Pointer[func()] // called by the clock
}

const aKey = `{"kty":"EC","use":"sig","kid":%q,"crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",` +
	`"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`

func setOf(kids ...string) string {
	var list []string
	for _, kid := range kids {
		list = append(list, fmt.Sprintf(aKey, kid))
	}
	return `{"keys":[` + strings.Join(list, ",") + `]}`
}

// client answers each tenant with a document of its own.
func (s *issuer) client(o Options) *Client {
	s.now.Store(1_790_000_000)
	o.Now = func() time.Time {
		if hold := s.hold.Load(); hold != nil {
			(*hold)()
		}
		return time.Unix(s.now.Load(), 0)
	}
	o.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		tenant := strings.Split(r.URL.Path, "/")[1]
		if strings.HasSuffix(r.URL.Path, "openid-configuration") {
			s.docs.Add(1)
			return answer(200, `{"issuer":"`+Commercial().Authority+"/"+tenant+`/v2.0","jwks_uri":"`+Commercial().
				Authority+"/"+tenant+`/discovery/v2.0/keys"}`), nil
		}
		s.keys.Add(1)
		return s.key(r)
	})
	return New(o)
}

const otherTenant = "aaaaaaaa-0000-4000-8000-00000000000b"

// TestKeysOutliveTheirCallers: 200 who hang up make one reading of each
// document, and it is there for who comes after them.
func TestKeysOutliveTheirCallers(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := &issuer{}
	began := make(chan struct{}, 1)
	s.key = func(r *http.Request) (*http.Response, error) {
		select {
		case began <- struct{}{}:
		default:
		}
		select {
		case <-release:
			return answer(200, setOf("one")), nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	c := s.client(Options{})
	var wg sync.WaitGroup
	var gone []context.CancelFunc
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		gone = append(gone, cancel)
		wg.Go(func() {
			if _, err := c.Keys(ctx, Commercial(), tenantID, "one"); !errors.Is(err, context.Canceled) {
				t.Errorf("a caller who left: %v", err)
			}
		})
	}
	<-began
	for _, cancel := range gone {
		cancel()
	}
	wg.Wait()
	close(release)
	for range 200 {
		set, err := c.Keys(t.Context(), Commercial(), tenantID, "one")
		if err != nil || len(set.Keys) != 1 {
			t.Fatalf("after them: %d keys, %v", len(set.Keys), err)
		}
	}
	if s.docs.Load() != 1 || s.keys.Load() != 1 {
		t.Errorf("%d readings of the document, %d of the keys", s.docs.Load(), s.keys.Load())
	}
}

// TestUnknownKids: 1,000 callers with as many kids that nobody has make one
// reading more in five minutes, however they come together.
func TestUnknownKids(t *testing.T) {
	t.Parallel()
	s := &issuer{key: func(*http.Request) (*http.Response, error) { return answer(200, setOf("one")), nil }}
	c := s.client(Options{})
	storm := func() {
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				if set, err := c.Keys(t.Context(), Commercial(), tenantID, fmt.Sprint("forged-", i)); err != nil || len(set.Keys) != 1 {
					t.Errorf("%d keys, %v", len(set.Keys), err)
				}
			})
		}
		wg.Wait()
	}
	for round := range int64(3) {
		if storm(); s.keys.Load() != round+1 || s.docs.Load() != 1 {
			t.Errorf("round %d: %d readings of the keys, %d of the document", round, s.keys.Load(), s.docs.Load())
		}
		s.now.Add(299)
		if storm(); s.keys.Load() != round+1 {
			t.Errorf("round %d, within five minutes: %d readings", round, s.keys.Load())
		}
		s.now.Add(1)
	}
}

// TestLateComer: who looked at the old document, or the old set, before a
// reading ended, and asks after it, makes no reading of his own.
func TestLateComer(t *testing.T) {
	t.Parallel()
	for what, at := range map[string]int64{"document": 1, "keys": 2} { // the order in which the clock is asked
		s := &issuer{key: func(*http.Request) (*http.Response, error) { return answer(200, setOf("one")), nil }}
		c := s.client(Options{})
		age := int64(86400)
		if what == "keys" {
			age = 600
		}
		if _, err := c.Keys(t.Context(), Commercial(), tenantID, "one"); err != nil {
			t.Fatal(err)
		}
		s.now.Add(age)
		var calls atomic.Int64
		looked, on := make(chan struct{}), make(chan struct{})
		hold := func() {
			if calls.Add(1) == at {
				close(looked)
				<-on
			}
		}
		s.hold.Store(&hold)
		done := make(chan error)
		go func() {
			_, err := c.Keys(t.Context(), Commercial(), tenantID, "late")
			done <- err
		}()
		<-looked
		s.hold.Store(nil)
		if _, err := c.Keys(t.Context(), Commercial(), tenantID, "other"); err != nil {
			t.Fatal(err)
		}
		docs, keys := s.docs.Load(), s.keys.Load()
		close(on)
		if err := <-done; err != nil || s.docs.Load() != docs || s.keys.Load() != keys {
			t.Errorf("%s: %v, and %d and %d readings more", what, err, s.docs.Load()-docs, s.keys.Load()-keys)
		}
	}
}

// TestBudget: documents that fail are asked for within a budget of their own
// issuer's, and one issuer's does not starve another's.
func TestBudget(t *testing.T) {
	t.Parallel()
	s := &issuer{key: func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, otherTenant) {
			return answer(200, setOf("one")), nil
		}
		return answer(500, "no"), nil
	}}
	c := s.client(Options{Tries: 1})
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if _, err := c.Keys(t.Context(), Commercial(), tenantID, "x"); !errors.Is(err, problem.Limit) {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	var refused int
	for range 50 {
		if _, err := c.Keys(t.Context(), Commercial(), tenantID, "x"); strings.Contains(fmt.Sprint(err), "too often") {
			refused++
		}
	}
	if n := s.keys.Load(); n > askBurst+2 || refused < 50-askBurst {
		t.Errorf("%d readings of keys that fail, %d refused", n, refused)
	}
	if set, err := c.Keys(t.Context(), Commercial(), otherTenant, "one"); err != nil || len(set.Keys) != 1 {
		t.Errorf("the other issuer: %v", err)
	}
}

// TestBudgetRemembers: so many addresses that the memory of budgets is full give
// nobody a fresh one.
func TestBudgetRemembers(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	for c.afford("x") {
	}
	for i := range 3 * maxMeta {
		c.afford(fmt.Sprint("https://x/", i))
	}
	if c.afford("x") {
		t.Error("a spent budget was forgotten")
	}
	if n := len(c.cache.asks); n > maxMeta {
		t.Errorf("%d budgets are kept", n)
	}
}

// TestThrottleRemembered: so many tenants that the memory of budgets is full do
// not open a bucket that a throttle closed.
func TestThrottleRemembered(t *testing.T) {
	t.Parallel()
	b := newBudgets(nil)
	b.slower("throttled", paceLogin, time.Hour)
	for i := range 2*maxBuckets + 7 {
		b.take(fmt.Sprint(i), paceLogin)
		if len(b.list) > maxBuckets {
			t.Fatalf("%d buckets", len(b.list))
		}
	}
	if d := b.take("throttled", paceLogin); d < 59*time.Minute {
		t.Errorf("open again after %s", d)
	}
	for i := range maxBuckets + 7 { // all closed: one goes for each that comes
		b.slower(fmt.Sprint(i), paceLogin, time.Hour)
	}
	if len(b.list) > maxBuckets {
		t.Errorf("%d buckets", len(b.list))
	}
}

// TestSlowIssuer: an issuer that does not answer holds up neither who knows the
// key already, nor another issuer; it is told as what it is, not as a caller who
// left.
func TestSlowIssuer(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	began := make(chan struct{}, 100)
	s := &issuer{}
	s.key = func(r *http.Request) (*http.Response, error) {
		if slow.Load() && strings.Contains(r.URL.Path, tenantID) {
			began <- struct{}{}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		return answer(200, setOf("one")), nil
	}
	c := s.client(Options{Timeout: 200 * time.Millisecond, Tries: 100})
	if _, err := c.Keys(t.Context(), Commercial(), tenantID, "one"); err != nil {
		t.Fatal(err)
	}
	s.now.Add(600)
	slow.Store(true)
	done := make(chan error)
	go func() {
		_, err := c.Keys(t.Context(), Commercial(), tenantID, "forged")
		done <- err
	}()
	<-began
	for tenant, kid := range map[string]string{tenantID: "one", otherTenant: "one"} {
		if set, err := c.Keys(t.Context(), Commercial(), tenant, kid); err != nil || len(set.Keys) != 1 {
			t.Errorf("%s: %v", tenant, err)
		}
	}
	select {
	case err := <-done:
		t.Errorf("the slow issuer answered: %v", err)
	default:
	}
	err := <-done
	if !errors.Is(err, problem.Limit) || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("told as %v", err)
	}
}

type blanks struct{ sent *atomic.Int64 }

func (e blanks) Read(p []byte) (int, error) {
	if e.sent.Add(int64(len(p))) > 50<<20 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestHostileIssuer: whatever an issuer sends, it is refused, the old keys stay,
// and it is not asked again beyond its budget.
func TestHostileIssuer(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	var elsewhere atomic.Int64
	long := answer(200, "")
	for name, c := range map[string]struct {
		key  func(r *http.Request) (*http.Response, error)
		kind problem.Kind
		say  string
		most int64 // readings
	}{
		"500": {func(*http.Request) (*http.Response, error) { return answer(500, "no"), nil }, problem.Limit, "HTTP 500", 4},
		"50 MB": {func(*http.Request) (*http.Response, error) {
			res := *long
			res.Body = io.NopCloser(blanks{&sent})
			return &res, nil
		}, problem.Limit, "longer than this program reads", 1},
		"a redirect": {func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "evil.example" {
				elsewhere.Add(1)
				return answer(200, setOf("two")), nil
			}
			return answer(302, "", "Location", "https://evil.example/keys"), nil
		}, problem.Limit, "HTTP 302", 1},
		"an empty set": {func(*http.Request) (*http.Response, error) { return answer(200, `{"keys":[]}`), nil }, problem.BadInput, "no key that can be used",
			1},
		"only poor keys": {func(*http.Request) (*http.Response, error) {
			return answer(200, `{"keys":[{"kty":"oct","kid":"two","k":"AAAA"}]}`), nil
		}, problem.BadInput, "no key that can be used", 1},
		"a page": {func(*http.Request) (*http.Response, error) { return answer(200, "<html>"), nil }, problem.BadInput, "cannot be read", 1},
		"a set too long": {func(*http.Request) (*http.Response, error) {
			return answer(200, `{"keys":[],"x":"`+strings.Repeat("x", claim.MaxKeySet)+`"}`), nil
		}, problem.Limit, "longer than", 1},
		"too many keys": {func(*http.Request) (*http.Response, error) { return answer(200, setOf(make([]string, 201)...)), nil }, problem.Limit,
			"more than", 1},
		"nothing":       {func(*http.Request) (*http.Response, error) { return answer(200, ""), nil }, problem.BadInput, "cannot be read", 1},
		"not found":     {func(*http.Request) (*http.Response, error) { return answer(404, ""), nil }, problem.NotFound, "not known", 1},
		"a broken line": {func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, problem.Limit, "connection broke", 4},
		"throttled":     {func(*http.Request) (*http.Response, error) { return answer(429, "", "Retry-After", "1"), nil }, problem.Limit, "HTTP 429", 4},
		"throttled for long": {func(*http.Request) (*http.Response, error) { return answer(429, "", "Retry-After", "86400"), nil }, problem.Limit, "HTTP 429",
			1},
	} {
		s := &issuer{key: func(*http.Request) (*http.Response, error) { return answer(200, setOf("one")), nil }}
		cl := s.client(Options{})
		if _, err := cl.Keys(t.Context(), Commercial(), tenantID, "one"); err != nil {
			t.Fatal(err)
		}
		s.now.Add(600)
		s.key = c.key
		before := s.keys.Load()
		set, err := cl.Keys(t.Context(), Commercial(), tenantID, "two")
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.say) || len(set.Keys) > 0 {
			t.Errorf("%s: %v", name, err)
		}
		if n := s.keys.Load() - before; n > c.most {
			t.Errorf("%s: %d readings", name, n)
		}
		if set, err := cl.Keys(t.Context(), Commercial(), tenantID, "one"); err != nil || len(set.Key("one")) != 1 {
			t.Errorf("%s: the old keys: %v", name, err)
		}
	}
	if sent.Load() > 10<<20 {
		t.Errorf("%d bytes of 50 MB were read", sent.Load())
	}
	if elsewhere.Load() > 0 {
		t.Error("the redirect was followed")
	}
}

// TestRolledKeys: a key that comes at once is seen after the pause, the old one
// is gone with the reading that does not have it, and two of one kid are both
// given, so that the verifier refuses them.
func TestRolledKeys(t *testing.T) {
	t.Parallel()
	var kids atomic.Pointer[[]string]
	kids.Store(&[]string{"one"})
	s := &issuer{key: func(*http.Request) (*http.Response, error) { return answer(200, setOf(*kids.Load()...)), nil }}
	c := s.client(Options{})
	has := func(kid string) int {
		set, err := c.Keys(t.Context(), Commercial(), tenantID, kid)
		if err != nil {
			t.Fatal(err)
		}
		return len(set.Key(kid))
	}
	if has("one") != 1 {
		t.Error("the first")
	}
	kids.Store(&[]string{"two", "two"})
	if has("two") != 0 || s.keys.Load() != 1 {
		t.Error("asked again at once")
	}
	s.now.Add(300)
	if has("two") != 2 || has("one") != 0 || s.keys.Load() != 2 {
		t.Errorf("after the pause: %d of two, %d of one, %d readings", has("two"), has("one"), s.keys.Load())
	}
}

// TestKeysOfAnAge: who may not use an old set has one that was taken back gone, and an error
// where the authority is away.
func TestKeysOfAnAge(t *testing.T) {
	t.Parallel()
	s := &issuer{}
	kids, away := setOf("one", "two"), false
	s.key = func(*http.Request) (*http.Response, error) {
		if away {
			return nil, io.ErrUnexpectedEOF
		}
		return answer(200, kids), nil
	}
	cl := s.client(Options{})
	ask := func(age time.Duration) (int, error) {
		set, err := cl.KeysOf(t.Context(), Commercial(), tenantID, "", age)
		return len(set.Keys), err
	}
	if n, err := ask(15 * time.Minute); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	kids = setOf("one")
	s.now.Add(14 * 60)
	if n, _ := ask(15 * time.Minute); n != 2 {
		t.Errorf("asked again after 14 minutes: %d keys", n)
	}
	s.now.Add(2 * 60)
	if n, _ := ask(15 * time.Minute); n != 1 {
		t.Errorf("a key that was taken back is there after 16 minutes: %d keys", n)
	}
	away = true
	s.now.Add(4 * 60)
	if n, err := ask(0); n != 1 || err != nil {
		t.Errorf("asked within five minutes: %d keys, %v", n, err)
	}
	s.now.Add(2 * 60)
	if _, err := ask(time.Minute); err == nil {
		t.Error("an authority that is away is not told")
	}
	if n, err := ask(24 * time.Hour); n != 1 || err != nil {
		t.Errorf("what is kept for a day is gone: %d keys, %v", n, err)
	}
}
