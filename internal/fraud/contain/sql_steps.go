//go:build !judge

package contain

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/vault"
)

const stepColumns = "run, seq, state, step, body, version"

// stepBody is what of a step's progress is one text.
type stepBody struct {
	ByRule  bool      `json:"byRule,omitempty"`
	Words   string    `json:"words,omitempty"`
	Since   time.Time `json:"since"`
	Next    time.Time `json:"next,omitzero"`
	Tries   int       `json:"tries,omitempty"`
	Again   int       `json:"again,omitempty"`
	Failing time.Time `json:"failing,omitzero"`
	Asked   time.Time `json:"asked,omitzero"`
	Intent  bool      `json:"intent,omitempty"`
	Op      string    `json:"operation,omitempty"`
	Acts    int64     `json:"acts,omitempty"`
}

func (p *Progress) values() []any {
	return []any{p.Run, int64(p.Seq), string(p.State), p.rawStep, p.rawBody, p.version}
}

func (p *Progress) write() error {
	body, err := json.Marshal(stepBody{p.ByRule, p.Words, p.Since, p.Next, p.Tries, p.Again, p.Failing, p.Asked, p.Intent, p.Op, p.Acts})
	p.rawBody = string(body)
	return err
}

func scanStep(s row) (p Progress, err error) {
	if err = s.Scan(&p.Run, &p.Seq, &p.State, &p.rawStep, &p.rawBody, &p.version, &p.mark); err != nil {
		return p, err
	}
	var b stepBody
	if json.Unmarshal([]byte(p.rawBody), &b) != nil || json.Unmarshal([]byte(p.rawStep), &p.Step) != nil {
		b = stepBody{} // its mark does not fit either
	}
	p.ByRule, p.Words, p.Since, p.Next, p.Tries, p.Again, p.Failing, p.Asked, p.Intent, p.Op, p.Acts = b.ByRule, b.Words, b.Since, b.Next, b.Tries, b.Again, b.Failing, b.Asked,
		b.Intent, b.Op, b.Acts
	return p, nil
}

func (c *Containment) steps(ctx context.Context, run string) ([]Progress, error) {
	return all(ctx, c.d.DB, scanStep, "SELECT "+stepColumns+", mark FROM contain_steps WHERE run = $1 ORDER BY seq", run)
}

func (c *Containment) insertStep(ctx context.Context, p *Progress) error {
	p.version = 1
	raw, err := json.Marshal(p.Step)
	if err == nil {
		p.rawStep = string(raw)
		err = p.write()
	}
	if err != nil {
		return err
	}
	mark, err := c.d.Marks.Mark(ctx, stepBook, p.values()...)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx, "INSERT INTO contain_steps ("+stepColumns+", mark) VALUES ($1, $2, $3, $4, $5, $6, $7)", append(p.values(), mark)...))
}

// updateStep writes a step that nobody else changed. With held set it is a step of a run that
// this process holds, or is refused.
func (c *Containment) updateStep(ctx context.Context, p *Progress, held bool) error {
	was := p.version
	p.version++
	err := p.write()
	if err == nil {
		var mark []byte
		if mark, err = c.d.Marks.Mark(ctx, stepBook, p.values()...); err == nil {
			holder := ""
			if held {
				holder = c.id
			}
			err = one(c.d.DB.ExecContext(ctx, `UPDATE contain_steps SET state = $3, body = $4, version = $5, mark = $6
				WHERE run = $1 AND seq = $2 AND version = $7 AND ($8 = '' OR EXISTS (SELECT 1 FROM contain_runs WHERE id = $1 AND holder = $8))`,
				p.Run, p.Seq, string(p.State), p.rawBody, p.version, mark, was, holder))
		}
	}
	if err != nil {
		p.version = was
	}
	return err
}

func (c *Containment) insertAct(ctx context.Context, a *Act) error {
	return one(c.d.DB.ExecContext(ctx, `INSERT INTO contain_acts (run, seq, n, what, asked, answered, result, words) VALUES ($1, $2, $3, $4, $5, 0, '', '')`,
		a.Run, a.Seq, a.N, a.What, db.Micros(a.Asked)))
}

func (c *Containment) answerAct(ctx context.Context, a *Act) error {
	return one(c.d.DB.ExecContext(ctx, "UPDATE contain_acts SET answered = $4, result = $5, words = $6 WHERE run = $1 AND seq = $2 AND n = $3",
		a.Run, a.Seq, a.N, db.Micros(a.Answered), a.Result, a.Words))
}

func (c *Containment) acts(ctx context.Context, run string) ([]Act, error) {
	return all(ctx, c.d.DB, func(r row) (a Act, err error) {
		var asked, answered int64
		err = r.Scan(&a.Run, &a.Seq, &a.N, &a.What, &asked, &answered, &a.Result, &a.Words)
		a.Asked, a.Answered = db.Time(asked), db.Time(answered)
		return a, err
	}, "SELECT run, seq, n, what, asked, answered, result, words FROM contain_acts WHERE run = $1 ORDER BY asked, seq, n", run)
}

func (a *Approval) values() []any { return []any{a.Run, a.Hash, a.Actor, db.Micros(a.At)} }

// approval reads a second person's yes; nil is none.
func (c *Containment) approval(ctx context.Context, run string) (*Approval, error) {
	var a Approval
	var at int64
	err := c.d.DB.QueryRowContext(ctx, "SELECT run, hash, actor, approved, mark FROM contain_approvals WHERE run = $1", run).
		Scan(&a.Run, &a.Hash, &a.Actor, &at, &a.mark)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, failed(err)
	case a.Run != run:
		return nil, vault.Other(approvalBook, run)
	}
	a.At = db.Time(at)
	return &a, nil
}

func (c *Containment) insertApproval(ctx context.Context, a *Approval) error {
	mark, err := c.d.Marks.Mark(ctx, approvalBook, a.values()...)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx, "INSERT INTO contain_approvals (run, hash, actor, approved, mark) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run) DO NOTHING",
		append(a.values(), mark)...))
}

// counts are the steps by state.
func (c *Containment) counts(ctx context.Context) (map[StepState]int, error) {
	type count struct {
		s StepState
		n int
	}
	list, err := all(ctx, c.d.DB, func(r row) (x count, err error) { return x, r.Scan(&x.s, &x.n) },
		"SELECT state, COUNT(*) FROM contain_steps GROUP BY state")
	out := map[StepState]int{}
	for _, x := range list {
		out[x.s] = x.n
	}
	return out, err
}
