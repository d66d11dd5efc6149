package mfa

import (
	"cmp"
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/factor"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// Vault keeps the secrets and vouches for rows; *vault.Vault meets it.
type Vault interface {
	Put(ctx context.Context, r vault.Ref, s secret.Text) error
	Get(ctx context.Context, r vault.Ref) (secret.Text, error)
	Delete(ctx context.Context, r vault.Ref) error
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Deps is everything a Store needs.
type Deps struct {
	DB     *db.DB         // required
	Vault  Vault          // required
	Record audit.Recorder // required: what cannot be recorded is not done
	// Last gives the newest action that the audit trail has of an object: a factor that
	// was taken away may have been put back into the database. Optional.
	Last func(ctx context.Context) (func(object string) (audit.Action, error), error)
	// Public is how the pages are reached (https://guard.contoso.example), without a
	// path. Security keys are bound to its host. Required.
	Public string
	Config *Config          // nil: the defaults
	Now    func() time.Time // nil is time.Now
	Log    *slog.Logger     // nil discards
}

// Store keeps people and their factors, and judges what they show. Safe for concurrent
// use, by several processes too.
type Store struct {
	d     Deps
	conf  Config
	lock  factor.Lockout
	keys  *webauthn.WebAuthn // nil where the address can have none
	roots *x509.CertPool     // of the makers of keys, where models are listed
	slow  chan struct{}      // bounds the memory that hashing takes

	mu       sync.Mutex                 // guards the field below
	nobodies map[string]factor.Failures // of names that nobody has, by their hash
}

// New makes a Store over a database whose schema is current.
func New(d Deps) (*Store, error) {
	if d.DB == nil || d.Vault == nil || d.Record == nil || d.Public == "" {
		return nil, errors.New("mfa: DB, Vault, Record and Public are required")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{d: d, conf: d.Config.settled(), lock: factor.UsualLockout(), slow: make(chan struct{}, 2),
		nobodies: map[string]factor.Failures{}}
	u, err := url.Parse(d.Public)
	if err != nil || u.Host == "" {
		return nil, problem.New(problem.Usage, "%.100q is no address of pages", d.Public)
	}
	s.keys = party(u, &s.conf)
	if s.conf.Keys == KeysListed {
		s.roots, err = readRoots(s.conf.KeyRoots)
	}
	return s, err
}

// now is the moment, as rows keep it.
func (s *Store) now() time.Time { return s.d.Now().UTC().Truncate(time.Microsecond) }

// Public is how the pages are reached, without a path.
func (s *Store) Public() string { return s.d.Public }

// Settings are the settings, with their defaults.
func (s *Store) Settings() Config { return s.conf }

// TakesKeys says whether security keys can be used at this address: WebAuthn wants a
// name, and not an address of a network.
func (s *Store) TakesKeys() bool { return s.keys != nil }

func (s *Store) record(ctx context.Context, a audit.Action, o audit.Outcome, actor string, p *Person, object, reason string, details map[string]string) error {
	e := audit.Event{At: s.now(), Action: a, Outcome: o, Actor: actor, Object: object, Reason: reason, Details: map[string]string{}}
	if p != nil {
		e.Tenant = p.Account.Tenant
		e.Object = cmp.Or(object, p.ID)
		e.Details["person"], e.Details["user"] = p.ID, p.Account.Object
	}
	for k, v := range details {
		if v != "" {
			e.Details[k] = v
		}
	}
	return s.d.Record.Record(ctx, e)
}

// tries bounds how often a change is tried again where another process was faster.
const mostTries = 12

// again does something anew while others are faster.
func again(ctx context.Context, do func() error) error {
	for n := 0; ; n++ {
		err := do()
		if !errors.Is(err, errLost) {
			return err
		}
		if n == mostTries {
			return problem.New(problem.Unavailable, "too many changes at once").WithHint("try again").WithAfter(time.Second)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(n) * 5 * time.Millisecond):
		}
	}
}

// fits holds a row to its mark.
func (s *Store) fits(ctx context.Context, sh *shelf, r *row) error {
	return s.d.Vault.Fits(ctx, sh.book, r.mark, r.values()...)
}

// said is what the trail says last of each object; nil where nobody is asked.
func (s *Store) said(ctx context.Context) (func(string) (audit.Action, error), error) {
	if s.d.Last == nil {
		return nil, nil
	}
	return s.d.Last(ctx)
}

// holds holds a row to its mark and to what the trail says last of it, one of want. The
// error is [vault.ErrForged] where it does not.
func (s *Store) holds(ctx context.Context, sh *shelf, r *row, said func(string) (audit.Action, error), want ...audit.Action) error {
	if err := s.fits(ctx, sh, r); err != nil || said == nil {
		return err
	}
	last, err := said(r.id)
	if err != nil || slices.Contains(want, last) {
		return err
	}
	// Rows were read before the trail's word: one that changed between is no forgery.
	if now, err := s.one(ctx, sh, r.id, ""); errors.Is(err, sql.ErrNoRows) || err == nil && now.version != r.version {
		return problem.Wrap(vault.ErrForged, problem.Conflict, "%s was changed a moment ago", r.id).WithHint("try again")
	}
	says := cmp.Or(string(last), "nothing")
	err = problem.Wrap(vault.ErrForged, problem.BadInput, "%s is in the database, and the audit trail says %s of it last", r.id, says).
		WithHint("something else wrote into the database, or an older one was put back: partnerguard trail verify looks")
	s.d.Log.ErrorContext(ctx, "a row of the database was put back", "table", sh.book.Table, "id", r.id)
	return errors.Join(err, s.record(s.d.DB.Apart(ctx), audit.RowForged, audit.Refused, "system:mfa", nil, "row/"+sh.book.Table+"/"+r.id,
		"the trail says "+says+" of it last", nil))
}

// People.

func (p *Person) row() *row {
	b := *p
	b.Refused = ""
	return &row{id: p.ID, look: p.Account.look(), state: p.State, body: text(b), version: p.version, mark: p.mark}
}

func readPerson(r *row) (p Person, err error) {
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		return p, problem.Wrap(err, problem.Internal, "the person %s cannot be read", r.id)
	}
	p.ID, p.State, p.version, p.mark = r.id, r.state, r.version, r.mark
	if p.Account.look() != r.look {
		return p, vault.Other(people.book, r.id)
	}
	return p, nil
}

// person reads a person by id or by account, held to the mark. Kind problem.NotFound
// where there is none.
func (s *Store) person(ctx context.Context, id string, a Account) (Person, error) {
	r, err := s.one(ctx, people, id, a.look())
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, problem.New(problem.NotFound, "nobody here is %.80q", cmp.Or(id, a.look())).WithHint("partnerguard mfa users lists who is here")
	}
	if err != nil {
		return Person{}, err
	}
	if err := s.fits(ctx, people, &r); err != nil {
		return Person{}, err
	}
	return readPerson(&r)
}

// Person finds a person by id. Kind problem.NotFound where there is none.
func (s *Store) Person(ctx context.Context, id string) (Person, error) {
	return s.person(ctx, id, Account{})
}

// Of finds the person of an account. Kind problem.NotFound where there is none.
func (s *Store) Of(ctx context.Context, a Account) (Person, error) {
	if err := a.Check(); err != nil {
		return Person{}, err
	}
	return s.person(ctx, "", a)
}

// People lists all, each held to its mark: one that does not hold says so in Refused.
func (s *Store) People(ctx context.Context) ([]Person, error) {
	rows, err := s.many(ctx, people, "")
	if err != nil {
		return nil, err
	}
	out := []Person{}
	for i := range rows {
		p, err := readPerson(&rows[i])
		if err == nil {
			err = s.fits(ctx, people, &rows[i])
		}
		if errors.Is(err, vault.ErrForged) {
			p.ID, p.Refused = rows[i].id, problemWords(err)
		} else if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// problemWords are the words of an error that a person may see.
func problemWords(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p.Public
	}
	return "it is not as partnerguard wrote it"
}

// Find finds one person by what somebody typed: an id of ours, an object id, or the name
// they sign in with. Kind problem.NotFound for none, problem.Usage for more than one.
func (s *Store) Find(ctx context.Context, typed string) (Person, error) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	list, err := s.People(ctx)
	if err != nil {
		return Person{}, err
	}
	var found []Person
	for _, p := range list {
		if p.ID == typed || p.Account.Object == typed || p.Account.look() == typed || typed != "" && strings.ToLower(p.Login) == typed {
			found = append(found, p)
		}
	}
	switch {
	case len(found) == 0:
		return Person{}, problem.New(problem.NotFound, "nobody here is called %.80q", typed).WithHint("partnerguard mfa users lists who is here")
	case len(found) > 1:
		return Person{}, problem.New(problem.Usage, "%d people here are called %.80q", len(found), typed).WithHint("name one by its id: partnerguard mfa users")
	case found[0].Refused != "":
		return Person{}, problem.Wrap(vault.ErrForged, problem.BadInput, "%s", found[0].Refused)
	}
	return found[0], nil
}

// enter finds the person of an account, or makes one. Names are kept as they are now.
func (s *Store) enter(ctx context.Context, a Account, name, login string) (p Person, err error) {
	name, login = cleaned(name), cleaned(login)
	err = again(ctx, func() error {
		p, err = s.person(ctx, "", a)
		if err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
		had, herr := s.had(ctx, a)
		if herr != nil {
			return herr
		}
		if err != nil {
			p = Person{ID: token.ID("mp"), Account: a, Name: name, Login: login, State: Active, Made: s.now(), Handle: token.Text().Reveal(), Had: had}
			r := p.row()
			err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
				return errors.Join(s.insert(ctx, people, r), s.d.Vault.Put(ctx, knownRef(&p), token.Text()))
			})
			if err != nil && s.d.DB.Tx(ctx) == nil { // another process may have been faster
				if other, oerr := s.person(ctx, "", a); oerr == nil {
					p = other
					return nil
				}
			}
			p.version, p.mark = r.version, r.mark
			return err
		}
		if (name == "" || name == p.Name) && (login == "" || login == p.Login) && (p.Had || !had) {
			return nil
		}
		p.Name, p.Login, p.Had = cmp.Or(name, p.Name), cmp.Or(login, p.Login), p.Had || had
		return s.savePerson(ctx, &p)
	})
	return p, err
}

// had says whether the trail knows of a first factor of an account: its row may have been
// taken away since, or an older one put in its place.
func (s *Store) had(ctx context.Context, a Account) (bool, error) {
	said, err := s.said(ctx)
	if err != nil || said == nil {
		return false, failed(err)
	}
	last, err := said(a.look())
	return last != "", failed(err)
}

// savePerson writes a person that was read; who changes it again reads it again.
func (s *Store) savePerson(ctx context.Context, p *Person) error {
	return s.update(ctx, people, p.row())
}

// Factors.

type factorBody struct {
	Factor
	Credential json.RawMessage `json:"credential,omitempty"`
	Codes      []string        `json:"codes,omitempty"`
}

func (f *Factor) row() *row {
	b := factorBody{Factor: *f, Credential: f.credential, Codes: f.codes}
	b.Refused, b.Left = "", 0
	return &row{id: f.ID, look: cmp.Or(f.look, f.ID), person: f.Person, state: Active, body: text(b), version: f.version, mark: f.mark}
}

func readFactor(r *row) (Factor, error) {
	var b factorBody
	if err := json.Unmarshal([]byte(r.body), &b); err != nil {
		return b.Factor, problem.Wrap(err, problem.Internal, "the factor %s cannot be read", r.id)
	}
	f := b.Factor
	f.ID, f.Person, f.look, f.version, f.mark = r.id, r.person, r.look, r.version, r.mark
	f.credential, f.codes, f.Left = b.Credential, b.Codes, len(b.Codes)
	return f, nil
}

// Factors are those of a person, or of all where person is "", each held to its mark and
// to the trail: one that does not hold says so in Refused and proves nothing.
func (s *Store) Factors(ctx context.Context, person string) ([]Factor, error) {
	rows, err := s.many(ctx, factors, person)
	if err != nil {
		return nil, err
	}
	said, err := s.said(ctx)
	if err != nil {
		return nil, failed(err)
	}
	out := []Factor{}
	for i := range rows {
		f, err := readFactor(&rows[i])
		if err == nil {
			err = s.holds(ctx, factors, &rows[i], said, audit.MFAEnrolled)
		}
		if errors.Is(err, vault.ErrForged) {
			f.ID, f.Refused = rows[i].id, problemWords(err)
		} else if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Factor) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds(), a.Kind), slices.Index(Kinds(), b.Kind)), a.Made.Compare(b.Made), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// counted are the factors of a list that count, of a kind or of all.
func counted(list []Factor, kind Kind) (out []Factor) {
	for _, f := range list {
		if f.Refused == "" && (kind == "" || f.Kind == kind) {
			out = append(out, f)
		}
	}
	return out
}

func (s *Store) saveFactor(ctx context.Context, f *Factor) error {
	return s.update(ctx, factors, f.row())
}

// seedRef is where the secret of passcodes is, bound to whose they are and how they are
// made: moved to another row it does not open.
func seedRef(p *Person, f *Factor) vault.Ref {
	return vault.Ref{Purpose: "mfa-totp", Owner: p.ID, Name: f.ID,
		Bound: vault.Bound(p.Account.Tenant, p.Account.Object, f.ID, f.Algorithm, text(f.Digits), text(f.Period))}
}

// viaProxy ends the address of a request that came through a proxy.
const viaProxy = " (a proxy)"

// Source is the address that a browser comes from, as it is shown, written down and
// counted; "" where it is not known. Of one that came through a proxy it says so: the
// address is the proxy's, and what a header says of the browser's is anybody's to write.
func Source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || strings.HasPrefix(name, "X-Forwarded-") {
			return host + viaProxy
		}
	}
	return host
}

// Proxied says that a [Source] is a proxy's, and so everybody's.
func Proxied(source string) bool { return strings.HasSuffix(source, viaProxy) }

// network is what an address is counted by: an IPv6 customer has a whole /64. wide gives
// the neighbourhood that a place is told by.
//
// Behind a proxy all people have one address, which says nothing of any of them.
func network(address string, wide bool) string {
	if Proxied(address) {
		return "a proxy"
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		if ap, perr := netip.ParseAddrPort(address); perr == nil {
			a, err = ap.Addr(), nil
		}
	}
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	bits := 32
	switch {
	case a.Is4() && wide:
		bits = 24
	case !a.Is4() && wide:
		bits = 48
	case !a.Is4():
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p.String()
}
