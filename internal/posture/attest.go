package posture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
	"partnerguard/internal/vouch"
)

// KeptStatement is an attestation or exception of a file's form that is kept in the
// database instead. It counts until its day, as one of a file does.
type KeptStatement struct {
	ID        string          `json:"id"`
	Tenant    string          `json:"tenant,omitempty"` // whose; "" is every tenant's
	Actor     string          `json:"actor"`
	Kept      time.Time       `json:"kept"`
	Statement vouch.Statement `json:"statement"`
	Refused   string          `json:"refused,omitempty"` // why it does not count: its row is not as it was written
}

// maxStatements bounds what is kept.
const maxStatements = 2000

// KeepStatement keeps a statement, which must be sound. Kind BadInput where it is not,
// Conflict where it says what one that is kept says.
func (s *Store) KeepStatement(ctx context.Context, tenant string, v vouch.Statement, actor string) (KeptStatement, error) {
	if err := v.Check(); err != nil {
		return KeptStatement{}, err
	}
	if err := s.canMark(); err != nil {
		return KeptStatement{}, err
	}
	v.Source.Path = ""
	body, err := json.Marshal(v)
	if err != nil {
		return KeptStatement{}, fmt.Errorf("keep an attestation: %w", err)
	}
	k := keptStatement{id: token.ID("v"), tenant: tenant, body: string(body), actor: actor, kept: db.Micros(s.now())}
	err = s.retry(ctx, func(ctx context.Context) error {
		list, err := s.statements(ctx)
		if err != nil {
			return err
		}
		if len(list) >= maxStatements {
			return problem.New(problem.Limit, "%d attestations are kept, and no more are taken", len(list))
		}
		for i := range list {
			if list[i].body == k.body && list[i].tenant == tenant {
				return problem.New(problem.Conflict, "%s says so already", list[i].id)
			}
		}
		if err := s.insertStatement(ctx, &k); err != nil {
			return err
		}
		return s.tellStatement(ctx, audit.AttestationKept, &k, &v, actor)
	})
	return KeptStatement{ID: k.id, Tenant: tenant, Actor: actor, Kept: db.Time(k.kept), Statement: v}, err
}

// DropStatement takes a kept statement back.
func (s *Store) DropStatement(ctx context.Context, id, actor string) error {
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.deleteStatement(ctx, id); err != nil {
			return err
		}
		k := keptStatement{id: id}
		return s.tellStatement(ctx, audit.AttestationRemoved, &k, &vouch.Statement{}, actor)
	})
	if errors.Is(err, errStale) {
		return problem.New(problem.NotFound, "no attestation with the id %.40q is kept", id).WithHint("partnerguard attest kept lists them")
	}
	return err
}

func (s *Store) tellStatement(ctx context.Context, action audit.Action, k *keptStatement, v *vouch.Statement, actor string) error {
	if s.d.Record == nil {
		return nil
	}
	e := audit.Event{At: s.now(), Action: action, Outcome: audit.Done, Actor: actor, Object: k.id, Tenant: k.tenant}
	if v.Requirement != "" {
		e.Details = map[string]string{"requirement": v.Requirement, "until": v.Until}
	}
	return s.d.Record.Record(ctx, e)
}

// Statements lists what is kept, oldest first. One whose row does not hold is listed
// with why, and does not count.
func (s *Store) Statements(ctx context.Context) ([]KeptStatement, error) {
	rows, err := s.statements(ctx)
	if err != nil {
		return nil, fmt.Errorf("list kept attestations: %w", err)
	}
	said, err := s.said(ctx)
	if err != nil {
		return nil, err
	}
	out := []KeptStatement{}
	for i := range rows {
		r := &rows[i]
		k := KeptStatement{ID: r.id, Tenant: r.tenant, Actor: r.actor, Kept: db.Time(r.kept)}
		if err := json.Unmarshal([]byte(r.body), &k.Statement); err != nil {
			k.Refused = "its text is damaged"
		} else if err := s.heldStatement(ctx, r, said); err != nil {
			if !errors.Is(err, vault.ErrForged) {
				return nil, err
			}
			k.Refused = err.Error()
		}
		out = append(out, k)
	}
	return out, nil
}

// heldStatement holds a kept statement to its mark, and to the trail: one that was
// taken back may have been put back into the database.
func (s *Store) heldStatement(ctx context.Context, r *keptStatement, said func(string) (audit.Action, error)) error {
	if s.d.Marks == nil {
		return problem.Wrap(vault.ErrForged, problem.BadInput, "the vault is not open, so whether it holds is not known")
	}
	if err := s.d.Marks.Fits(ctx, AttestationBook, r.mark, r.values()...); err != nil || said == nil {
		return err
	}
	last, err := said(r.id)
	if err == nil && last != audit.AttestationKept {
		err = problem.Wrap(vault.ErrForged, problem.BadInput, "the audit trail does not have the attestation %s as kept", r.id)
	}
	return err
}

// Vouched are the kept statements that count for a tenant, with the exceptions in force
// brought to the same form, so that a report names both. Kept ones that do not
// hold are left out.
// What was said after asOf counts for nothing then; the zero time is now.
func (s *Store) Vouched(ctx context.Context, tenant string, asOf time.Time) ([]vouch.Statement, error) {
	list, err := s.Statements(ctx)
	if err != nil {
		return nil, err
	}
	later := func(t time.Time) bool { return !asOf.IsZero() && t.After(asOf) }
	var out []vouch.Statement
	for i := range list {
		k := &list[i]
		if k.Refused == "" && (k.Tenant == "" || k.Tenant == tenant) && !later(k.Kept) {
			k.Statement.Source.Path = "kept:" + k.ID
			out = append(out, k.Statement)
		}
	}
	excepted, err := s.InForce(ctx)
	if err != nil {
		return nil, err
	}
	for i := range excepted {
		if !later(excepted[i].Decided) {
			out = append(out, excepted[i].statements()...)
		}
	}
	return out, nil
}

// statements are an exception in the form of a file's. Its last day is the last whole
// day before it expires.
func (x *Exception) statements() []vouch.Statement {
	v := vouch.Statement{Kind: vouch.Exception, Requirement: x.Requirement, Who: x.Owner, Since: x.Decided.UTC().Format(time.DateOnly),
		Until: x.Expires.UTC().Add(-time.Microsecond).Format(time.DateOnly), Reason: x.Reason, Control: x.Control, ApprovedBy: x.DecidedBy}
	v.Source.Path = "exception:" + x.ID
	if len(x.Accounts) == 0 {
		v.What = "the whole requirement"
		return []vouch.Statement{v}
	}
	var out []vouch.Statement
	for _, a := range x.Accounts {
		w := v
		w.Account = a
		out = append(out, w)
	}
	return out
}
