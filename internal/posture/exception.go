package posture

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// ExceptionState is how far an exception is.
type ExceptionState string

// The states. An approved one past its end is in force no more.
const (
	Proposed ExceptionState = "proposed"
	Approved ExceptionState = "approved"
	Ended    ExceptionState = "ended"
)

// Limits of an exception.
const (
	MaxExceptionDays  = 366 // whoever leaves something out looks again at least once a year
	maxExceptionTexts = 1000
	maxExceptionNames = 200
	maxExcepted       = 500  // accounts
	maxExceptions     = 5000 // that were not ended
)

// Exception is what somebody leaves out of a requirement for a while, and answers
// for. It silences alerts, and changes no verdict: a report names it beside the
// finding. It is in force from a second person's approval until it expires or is ended.
type Exception struct {
	ID          string         `json:"id"`
	Requirement string         `json:"requirement"`
	Accounts    []string       `json:"accounts"` // ids or user principal names; none: the whole requirement
	Owner       string         `json:"owner"`
	Reason      string         `json:"reason"`
	Control     string         `json:"compensatingControl"`
	AddedBy     string         `json:"addedBy"`
	Added       time.Time      `json:"added"`
	Expires     time.Time      `json:"expires"`
	State       ExceptionState `json:"state"`
	DecidedBy   string         `json:"approvedBy,omitempty"`
	Decided     time.Time      `json:"approved,omitzero"`
	EndedBy     string         `json:"endedBy,omitempty"`
	EndedAt     time.Time      `json:"ended,omitzero"`

	version int64
	mark    []byte
}

// Marks vouches for rows; *vault.Vault meets it.
type Marks interface {
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Last gives the newest action that the audit trail has of an object as of now, "" for
// none, for as many objects as are asked about: an exception that was ended may have been
// put back into the database.
type Last func(ctx context.Context) (func(object string) (audit.Action, error), error)

// On says how an exception stands at a moment: proposed, approved, ended, or expired.
func (x *Exception) On(at time.Time) string {
	if x.State != Ended && !at.Before(x.Expires) {
		return "expired"
	}
	return string(x.State)
}

// InForce reports that it silences alerts at a moment.
func (x *Exception) InForce(at time.Time) bool {
	return x.State == Approved && at.Before(x.Expires) && !at.Before(x.Decided)
}

func (x *Exception) names(id, name string) bool {
	return slices.ContainsFunc(x.Accounts, func(a string) bool { return strings.EqualFold(a, id) || name != "" && strings.EqualFold(a, name) })
}

// Covers reports that it leaves an account out of a requirement, or with no account
// the requirement as a whole.
func (x *Exception) Covers(requirement, id, name string) bool {
	return x.Requirement == requirement && (len(x.Accounts) == 0 || id != "" && x.names(id, name))
}

func (x *Exception) excuse() *Excuse { return &Excuse{x.ID, x.Owner, x.Expires} }

// check says what is wrong with what a person asks for.
func (x *Exception) check(now time.Time) error {
	wrong := func(format string, args ...any) error {
		return problem.New(problem.Usage, format, args...).WithHint("partnerguard exceptions add --help says what is needed")
	}
	for _, f := range []struct {
		name, value string
		limit       int
	}{{"requirement", x.Requirement, maxExceptionNames}, {"owner", x.Owner, maxExceptionNames}, {"reason", x.Reason, maxExceptionTexts},
		{"control", x.Control, maxExceptionTexts}, {"actor", x.AddedBy, maxExceptionNames}} {
		if why := textFault(f.value, f.limit); why != "" {
			return wrong("--%s %s", f.name, why)
		}
	}
	if len(x.Accounts) > maxExcepted {
		return wrong("an exception names at most %d accounts, not %d", maxExcepted, len(x.Accounts))
	}
	for _, a := range x.Accounts {
		if why := textFault(a, maxExceptionNames); why != "" {
			return wrong("--account %s", why)
		}
	}
	switch {
	case x.Expires.IsZero():
		return wrong("--expires is missing: nothing is left out without an end")
	case !x.Expires.After(now):
		return wrong("--expires %s is past", x.Expires.Format(time.DateOnly))
	case x.Expires.Sub(now) > MaxExceptionDays*24*time.Hour:
		return wrong("--expires %s is more than a year ahead: look again when the year is over", x.Expires.Format(time.DateOnly))
	}
	return nil
}

func textFault(s string, limit int) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "is missing"
	case len(s) > limit:
		return fmt.Sprintf("is longer than %d bytes", limit)
	case strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
	}):
		return "holds characters that cannot be seen"
	}
	return ""
}

// AddException asks for an exception. It is proposed: nothing is silent before
// another person approves it. Kind Usage for what may not be, Limit for too many.
func (s *Store) AddException(ctx context.Context, x Exception, actor string) (Exception, error) {
	now := s.now()
	accounts := slices.Clone(x.Accounts)
	slices.Sort(accounts)
	x.ID, x.AddedBy, x.Added, x.State, x.Accounts = token.ID("x"), actor, now, Proposed, append([]string{}, slices.Compact(accounts)...)
	x.DecidedBy, x.EndedBy, x.Decided, x.EndedAt, x.version = "", "", time.Time{}, time.Time{}, 1
	x.Expires = x.Expires.UTC().Truncate(time.Microsecond)
	if err := x.check(now); err != nil {
		return Exception{}, err
	}
	if err := s.canMark(); err != nil {
		return Exception{}, err
	}
	err := s.retry(ctx, func(ctx context.Context) error {
		n, err := s.countExceptions(ctx)
		if err == nil && n >= maxExceptions {
			err = problem.New(problem.Limit, "there are %d exceptions that were not ended, and no more are taken",
				n).WithHint("partnerguard exceptions end ends those that are over")
		}
		if err == nil {
			err = s.insertException(ctx, &x)
		}
		if err == nil {
			err = s.tell(ctx, audit.ExceptionAdded, &x, actor)
		}
		return err
	})
	return x, err
}

// Approve puts an exception in force, by a person other than who added it; the same
// person is refused, also by another way in. Kind Conflict where it is not waiting.
func (s *Store) Approve(ctx context.Context, id, actor string) (Exception, error) {
	return s.decide(ctx, id, actor, audit.ExceptionApproved, func(x *Exception, now time.Time) error {
		switch {
		case Who(actor) == "":
			return problem.New(problem.Usage, "who approves is not known")
		case Who(actor) == Who(x.AddedBy) || Who(actor) == Who(x.Owner):
			return problem.New(problem.Usage, "%s asked for the exception %s or answers for it, and cannot approve it", actor, x.ID).
				WithHint("another person runs: partnerguard exceptions approve %s", x.ID)
		case x.State != Proposed:
			return problem.New(problem.Conflict, "the exception %s is %s", x.ID, x.On(now))
		case !now.Before(x.Expires):
			return problem.New(problem.Conflict, "the exception %s expired on %s", x.ID, x.Expires.Format(time.DateOnly)).WithHint("add a new one")
		}
		x.State, x.DecidedBy, x.Decided = Approved, actor, now
		return nil
	})
}

// End ends an exception, or withdraws one that waits; anybody may.
func (s *Store) End(ctx context.Context, id, actor string) (Exception, error) {
	return s.decide(ctx, id, actor, audit.ExceptionEnded, func(x *Exception, now time.Time) error {
		if x.State == Ended {
			return problem.New(problem.Conflict, "the exception %s was ended on %s", x.ID, x.EndedAt.Format(time.DateOnly))
		}
		x.State, x.EndedBy, x.EndedAt = Ended, actor, now
		return nil
	})
}

// Who is the person behind an actor: without the way they came and without the
// domain, in lower case, so that one person is the same by every way.
func Who(actor string) string {
	a := strings.ToLower(strings.TrimSpace(actor))
	if _, rest, found := strings.Cut(a, ":"); found {
		a = rest
	}
	a, _, _ = strings.Cut(a, "@")
	if i := strings.LastIndexAny(a, `\/`); i >= 0 { // DOMAIN\user
		a = a[i+1:]
	}
	return strings.Join(strings.FieldsFunc(a, func(r rune) bool { return r == ' ' || r == '.' || r == '_' || r == '-' }), " ")
}

func (s *Store) decide(ctx context.Context, id, actor string, action audit.Action, change func(*Exception, time.Time) error) (Exception, error) {
	if err := s.canMark(); err != nil {
		return Exception{}, err
	}
	var out Exception
	err := s.retry(ctx, func(ctx context.Context) error {
		x, err := s.exception(ctx, id)
		if err != nil {
			return err
		}
		if action != audit.ExceptionEnded { // a forged one may be ended, and never approved
			said, err := s.said(ctx)
			if err == nil {
				err = s.held(ctx, &x, said)
			}
			if err != nil {
				return err
			}
		}
		if err := change(&x, s.now()); err != nil {
			return err
		}
		out = x
		if err := s.updateException(ctx, &x); err != nil {
			return err
		}
		return s.tell(ctx, action, &x, actor)
	})
	return out, err
}

func (s *Store) canMark() error {
	if s.d.Marks == nil {
		return problem.New(problem.Internal, "exceptions are changed with the vault open, and it is not")
	}
	return nil
}

// said is what the audit trail says last of each object; nil where nobody is asked.
func (s *Store) said(ctx context.Context) (func(object string) (audit.Action, error), error) {
	if s.d.Last == nil || s.d.Marks == nil { // without marks nothing holds anyway
		return nil, nil
	}
	return s.d.Last(ctx)
}

// held holds an exception to its mark and to what the audit trail says of it.
func (s *Store) held(ctx context.Context, x *Exception, said func(string) (audit.Action, error)) error {
	if err := s.d.Marks.Fits(ctx, Exceptions, x.mark, x.values()...); err != nil {
		return err
	}
	if said == nil {
		return nil
	}
	last, err := said(x.ID)
	want := map[ExceptionState]audit.Action{Proposed: audit.ExceptionAdded, Approved: audit.ExceptionApproved, Ended: audit.ExceptionEnded}[x.State]
	if err == nil && last != want {
		err = problem.Wrap(vault.ErrForged, problem.BadInput, "the exception %s is %s in the database, and the audit trail says %s of it last", x.ID, x.State,
			cmp.Or(string(last), "nothing")).WithHint("something else wrote into the database, or an older one was put back: partnerguard trail verify looks")
	}
	return err
}

func (s *Store) tell(ctx context.Context, action audit.Action, x *Exception, actor string) error {
	if s.d.Record == nil {
		return nil
	}
	return s.d.Record.Record(ctx, audit.Event{At: s.now(), Action: action, Outcome: audit.Done, Actor: actor, Object: x.ID, Details: map[string]string{
		"requirement": x.Requirement, "owner": x.Owner, "accounts": fmt.Sprint(len(x.Accounts)), "expires": x.Expires.Format(time.RFC3339)}})
}

// Listed is an exception as it is listed: one that does not hold is shown, with why.
type Listed struct {
	Exception
	Standing string `json:"standing"` // proposed, approved, ended, expired, refused
	Refused  string `json:"refused,omitempty"`
}

// Exceptions lists all, those in force first, then by their end.
func (s *Store) Exceptions(ctx context.Context) ([]Listed, error) {
	list, err := s.exceptions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list exceptions: %w", err)
	}
	said, err := s.said(ctx)
	if err != nil {
		return nil, err
	}
	now, out := s.now(), []Listed{}
	for i := range list {
		l := Listed{Exception: list[i], Standing: list[i].On(now)}
		if s.d.Marks != nil {
			if err := s.held(ctx, &list[i], said); errors.Is(err, vault.ErrForged) {
				l.Standing, l.Refused = "refused", err.Error()
			} else if err != nil {
				return nil, err
			}
		}
		out = append(out, l)
	}
	order := map[string]int{"refused": 0, "approved": 1, "proposed": 2, "expired": 3, "ended": 4}
	slices.SortStableFunc(out, func(a, b Listed) int {
		return cmp.Or(cmp.Compare(order[a.Standing], order[b.Standing]), a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// InForce lists the exceptions that silence alerts now. One that does not hold to its
// mark silences nothing; without the vault none does.
func (s *Store) InForce(ctx context.Context) ([]Exception, error) {
	if s.d.Marks == nil {
		return nil, nil
	}
	list, err := s.exceptions(ctx)
	if err != nil {
		return nil, fmt.Errorf("exceptions in force: %w", err)
	}
	now := s.now()
	list = slices.DeleteFunc(list, func(x Exception) bool { return !x.InForce(now) })
	if len(list) == 0 {
		return nil, nil
	}
	said, err := s.said(ctx)
	if err != nil {
		return nil, err
	}
	var out []Exception
	for i := range list {
		switch err := s.held(ctx, &list[i], said); {
		case err == nil:
			out = append(out, list[i])
		case !errors.Is(err, vault.ErrForged):
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b Exception) int { return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// Silenced says whether alerts about a requirement, or about one account in it, are
// silent now, and by which exception. What cannot be read silences nothing.
func (s *Store) Silenced(ctx context.Context, requirement, id, name string) (*Exception, error) {
	list, err := s.InForce(ctx)
	for i := range list {
		if list[i].Covers(requirement, id, name) {
			return &list[i], err
		}
	}
	return nil, err
}

func (x *Exception) accountsText() string {
	b, _ := json.Marshal(x.Accounts) // texts alone
	return string(b)
}
