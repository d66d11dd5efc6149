package broker

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// ApprovalState is where an approval stands.
type ApprovalState string

// The states. One that ended stays approved, with its end in the past; when it
// is needed again it becomes pending.
const (
	Pending   ApprovalState = "pending"
	Approved  ApprovalState = "approved"
	Withdrawn ApprovalState = "withdrawn"
)

// PendingApproval is what a caller asked for and a person says yes or no to.
type PendingApproval struct {
	ID         string        `json:"id"` // "a-…"
	Caller     string        `json:"caller"`
	Subject    string        `json:"subject"`    // what the caller proved itself by
	Connection string        `json:"connection"` // id
	Tenant     string        `json:"tenant"`     // id
	Resource   string        `json:"resource"`
	State      ApprovalState `json:"state"`
	AskedAt    time.Time     `json:"askedAt"`
	Actor      string        `json:"actor"` // who asked
	DecidedAt  time.Time     `json:"decidedAt,omitzero"`
	DecidedBy  string        `json:"decidedBy,omitempty"`
	Until      time.Time     `json:"until,omitzero"`

	mark []byte
}

// good says whether it counts now. One from the future does not: the clock was
// set back, and an approval must not live longer by that.
func (a *PendingApproval) good(now time.Time) bool {
	return a.State == Approved && now.Before(a.Until) && !now.Before(a.DecidedAt.Add(-5*time.Minute))
}

// Bounds of what one caller, and one subject of it, can leave for people to read;
// a question that nobody answered for so long is asked anew.
const (
	maxPending   = 900 // all are shown, see Approvals
	maxOfSubject = 100
	pendingFor   = 7 * 24 * time.Hour
)

// Approvals is the table of the approvals, whose rows are marked.
var Approvals = &vault.Book{Table: "approvals", Version: 2, Key: []string{"id"},
	Columns: []string{"caller", "subject", "connection", "tenant", "resource", "state", "asked_at", "actor", "decided_at", "decided_by", "until_at"}}

// Marks vouches for rows; *vault.Vault meets it.
type Marks interface {
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

func (a *PendingApproval) values() []any {
	return []any{a.ID, a.Caller, a.Subject, a.Connection, a.Tenant, a.Resource, string(a.State),
		db.Micros(a.AskedAt), a.Actor, db.Micros(a.DecidedAt), a.DecidedBy, db.Micros(a.Until)}
}

// vouch marks an approval as it stands, within the transaction that wrote it.
func (b *Broker) vouch(ctx context.Context, a *PendingApproval) error {
	mark, err := b.d.Marks.Mark(ctx, Approvals, a.values()...)
	if err == nil {
		_, err = b.d.DB.ExecContext(ctx, "UPDATE approvals SET mark = $1 WHERE id = $2", mark, a.ID)
	}
	return err
}

// held holds an approval that was read to its mark.
func (b *Broker) held(ctx context.Context, a *PendingApproval) error {
	return b.d.Marks.Fits(ctx, Approvals, a.mark, a.values()...)
}

// asked is held for an approval that was asked for by what it is for: the
// database may have given another one.
func (b *Broker) asked(ctx context.Context, a *PendingApproval, c *Caller, d *Decision) error {
	if a.Caller != c.Name || a.Subject != c.Subject || a.Connection != d.Connection || a.Tenant != d.Tenant || a.Resource != d.Resource {
		return vault.Other(Approvals, a.ID)
	}
	return b.held(ctx, a)
}

// stands holds an approval that says yes to what the audit trail says of it: one
// that was withdrawn may have been put back into the database.
func (b *Broker) stands(ctx context.Context, a *PendingApproval) error {
	if a.State != Approved || b.d.Past == nil {
		return nil
	}
	stands, err := b.d.Past.Approved(ctx, a.ID, a.Connection)
	if err != nil || stands {
		return err
	}
	b.d.Log.ErrorContext(ctx, "an approval is not one that the audit trail knows as given", "approval", a.ID, "caller", a.Caller)
	return problem.Wrap(vault.ErrForged, problem.BadInput, "the approval %s is not one that the audit trail knows as given", a.ID)
}

const approvalColumns = "id, caller, subject, connection, tenant, resource, state, asked_at, actor, decided_at, decided_by, until_at, mark"

func scanApproval(row interface{ Scan(...any) error }) (a PendingApproval, err error) {
	var asked, decided, until int64
	err = row.Scan(&a.ID, &a.Caller, &a.Subject, &a.Connection, &a.Tenant, &a.Resource, &a.State, &asked, &a.Actor, &decided, &a.DecidedBy, &until, &a.mark)
	a.AskedAt, a.DecidedAt, a.Until = db.Time(asked), db.Time(decided), db.Time(until)
	return a, err
}

// approvalFor finds the one for a caller, its subject, a connection, a tenant and
// a resource.
const approvalFor = "SELECT " + approvalColumns + " FROM approvals WHERE caller = $1 AND subject = $2 AND connection = $3 AND tenant = $4 AND resource = $5"

// approval reads the one for this, or the zero value.
func (b *Broker) approval(ctx context.Context, c *Caller, d *Decision) (PendingApproval, error) {
	if b.d.DB == nil || b.d.Marks == nil {
		return PendingApproval{}, problem.New(problem.Internal, "there is no database for approvals")
	}
	a, err := scanApproval(b.d.DB.QueryRowContext(ctx, approvalFor, c.Name, c.Subject, d.Connection, d.Tenant, d.Resource))
	if errors.Is(err, sql.ErrNoRows) {
		return PendingApproval{}, nil
	}
	if err == nil {
		err = b.asked(ctx, &a, c, d)
	}
	if err == nil {
		err = b.stands(ctx, &a)
	}
	if errors.Is(err, vault.ErrForged) {
		return PendingApproval{}, nil // it is named in log and trail, approves nothing, and is asked for anew
	}
	return a, err
}

// await leaves a question for the approvers, once.
func (b *Broker) await(ctx context.Context, c *Caller, d *Decision) error {
	counts, err := b.approval(ctx, c, d)
	if err != nil {
		return err
	}
	return b.d.DB.InTx(ctx, func(ctx context.Context) error {
		a, err := scanApproval(b.d.DB.QueryRowContext(ctx, approvalFor, c.Name, c.Subject, d.Connection, d.Tenant, d.Resource))
		now := b.d.Now()
		if err == nil && b.asked(ctx, &a, c, d) != nil || err == nil && a.State == Approved && a.ID != counts.ID {
			a = PendingApproval{} // it says nothing; the question is asked anew over it
		}
		switch {
		case err == nil && (a.State == Pending || a.good(now)):
			d.Approval = a.ID
			return nil
		case err == nil && a.State == Withdrawn && now.Sub(a.DecidedAt).Abs() < time.Hour:
			d.Approval, d.Words = a.ID, "it was not approved by "+a.DecidedBy
			return nil
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		}
		if _, err := b.d.DB.ExecContext(ctx, "DELETE FROM approvals WHERE caller = $1 AND state = $2 AND asked_at < $3",
			c.Name, Pending, db.Micros(now.Add(-pendingFor))); err != nil {
			return err
		}
		var waiting, own int
		if err := b.d.DB.QueryRowContext(ctx, "SELECT count(*), count(CASE WHEN subject = $3 THEN 1 END) FROM approvals WHERE caller = $1 AND state = $2",
			c.Name, Pending, c.Subject).Scan(&waiting, &own); err != nil {
			return err
		}
		if waiting >= maxPending || own >= maxOfSubject {
			return problem.New(problem.Limit, "%d requests of this caller wait already", waiting)
		}
		d.Approval = token.ID("a")
		asked := PendingApproval{ID: d.Approval, Caller: c.Name, Subject: c.Subject, Connection: d.Connection, Tenant: d.Tenant, Resource: d.Resource,
			State: Pending, AskedAt: db.Time(db.Micros(now)), Actor: cut(c.Actor, 200)}
		mark, err := b.d.Marks.Mark(ctx, Approvals, asked.values()...)
		if err != nil {
			return err
		}
		_, err = b.d.DB.ExecContext(ctx, "INSERT INTO approvals ("+approvalColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '', 0, $10) "+
			"ON CONFLICT (caller, subject, connection, tenant, resource) DO UPDATE SET id = excluded.id, state = excluded.state, "+
			"asked_at = excluded.asked_at, actor = excluded.actor, decided_at = 0, decided_by = '', until_at = 0, mark = excluded.mark",
			d.Approval, c.Name, c.Subject, d.Connection, d.Tenant, d.Resource, Pending, db.Micros(now), asked.Actor, mark)
		return err
	})
}

// Approvals lists what waits, what is approved and what was withdrawn, newest
// first, at most 1,000.
func (b *Broker) Approvals(ctx context.Context) ([]PendingApproval, error) {
	rows, err := b.d.DB.QueryContext(ctx, "SELECT "+approvalColumns+" FROM approvals ORDER BY asked_at DESC, id LIMIT 1000")
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the approvals cannot be read")
	}
	defer rows.Close()
	list := []PendingApproval{}
	for rows.Next() {
		a, err := scanApproval(rows)
		if err != nil {
			return nil, problem.Wrap(err, problem.Internal, "the approvals cannot be read")
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// Approve says yes for as long as the policy's grant says. Only who the grant
// names may, as the policy stands now, and never the caller itself.
// problem.NotFound for an unknown id, problem.Usage for who may not.
func (b *Broker) Approve(ctx context.Context, id, approver string) (PendingApproval, error) {
	return b.settle(ctx, id, approver, Approved)
}

// Withdraw says no, or takes a yes back. Tokens that were handed out live on
// until their own end.
func (b *Broker) Withdraw(ctx context.Context, id, approver string) (PendingApproval, error) {
	return b.settle(ctx, id, approver, Withdrawn)
}

func (b *Broker) settle(ctx context.Context, id, approver string, to ApprovalState) (a PendingApproval, err error) {
	if b.d.DB == nil || b.d.Marks == nil {
		return a, problem.New(problem.Internal, "there is no database for approvals")
	}
	const read = "SELECT " + approvalColumns + " FROM approvals WHERE id = $1"
	absent := func(err error) error {
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "no approval is called %.60q", id)
		}
		return err
	}
	// Whoever decides is looked at before anything is decided: without the row
	// there is nothing to look at.
	if a, err = scanApproval(b.d.DB.QueryRowContext(ctx, read, id)); err != nil {
		return PendingApproval{}, stored(absent(err))
	}
	if err := b.held(ctx, &a); err != nil {
		return PendingApproval{}, err
	}
	if a.ID != id {
		return PendingApproval{}, vault.Other(Approvals, id)
	}
	if isSelf(approver, a.Caller, a.Actor) {
		return PendingApproval{}, problem.New(problem.Usage, "a caller cannot approve what it asked for itself")
	}
	most, may := b.mayApprove(ctx, &a, approver)
	if !may {
		return PendingApproval{}, problem.New(problem.Usage, "%.100q is not among those who may approve this", approver).
			WithHint("the policy names them under approval.by")
	}
	err = b.d.DB.InTx(ctx, func(ctx context.Context) error {
		// What an id stands for never changes; its state may have.
		if a, err = scanApproval(b.d.DB.QueryRowContext(ctx, read, id)); err != nil {
			return absent(err)
		}
		if err := b.held(ctx, &a); err != nil {
			return err
		}
		if a.ID != id {
			return vault.Other(Approvals, id)
		}
		if to == Approved && a.State == Withdrawn {
			return problem.New(problem.Usage, "it was withdrawn by %s; it can be approved when the caller asks again", a.DecidedBy)
		}
		now := b.d.Now()
		a.State, a.DecidedAt, a.DecidedBy, a.Until = to, now.UTC().Truncate(time.Microsecond), cut(approver, 200), time.Time{}
		e := audit.Event{At: now, Action: audit.ApprovalWithdrawn, Outcome: audit.Done, Actor: approver, Object: a.Connection, Tenant: a.Tenant,
			Details: map[string]string{"approval": a.ID, "caller": a.Caller, "subject": cut(a.Subject, maxSubject), "resource": a.Resource}}
		if to == Approved {
			a.Until = a.DecidedAt.Add(most)
			e.Action, e.Details["until"] = audit.ApprovalGiven, a.Until.Format(time.RFC3339)
		}
		res, err := b.d.DB.ExecContext(ctx, "UPDATE approvals SET state = $1, decided_at = $2, decided_by = $3, until_at = $4 WHERE id = $5",
			a.State, db.Micros(a.DecidedAt), a.DecidedBy, db.Micros(a.Until), a.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.Internal, "the database did not keep what was decided"))
		}
		if err := b.vouch(ctx, &a); err != nil {
			return err
		}
		return b.d.Trail.Record(ctx, e)
	})
	if err != nil {
		return PendingApproval{}, stored(err)
	}
	return a, nil
}

// stored gives an error of the database words.
func stored(err error) error {
	if _, ok := errors.AsType[*problem.Error](err); ok {
		return err
	}
	return problem.Wrap(err, problem.Internal, "the approval could not be stored")
}

// mayApprove looks for a grant that asks this approver, and how long its yes
// counts: the shortest of the grants that would allow it.
func (b *Broker) mayApprove(ctx context.Context, a *PendingApproval, approver string) (most time.Duration, ok bool) {
	p := b.policy.Load()
	for i := range p.Callers {
		r := &p.Callers[i]
		if r.Name != a.Caller {
			continue
		}
		for k := range r.Grants {
			g := &r.Grants[k]
			if g.Approval == nil || !slices.ContainsFunc(g.Approval.By, func(who string) bool { return strings.EqualFold(who, approver) }) {
				continue
			}
			conn, err := b.d.Exchange.Connection(ctx, g.Connection)
			if err != nil || conn.ID != a.Connection {
				continue
			}
			if in, _ := b.tenantIn(ctx, conn, a.Tenant, g.Tenants); !in {
				continue
			}
			if !g.covers(conn, a.Resource) {
				continue
			}
			if !ok || g.Approval.For < most {
				most, ok = g.Approval.For, true
			}
		}
	}
	return most, ok
}
