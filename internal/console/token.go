package console

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// TokenPrefix is how tokens begin, so that whoever finds one, or a program that looks for
// leaked secrets, knows what it is.
const TokenPrefix = "pg_"

// Limits of tokens.
const (
	MaxTokenLife = 366 * 24 * time.Hour
	maxTokens    = 1000
)

// Token is what a program proves itself by. What it may is its scope, whoever made it.
type Token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Rights    []string  `json:"rights"`    // its scope
	Customers []string  `json:"customers"` // nil is all
	Made      time.Time `json:"made"`
	Ends      time.Time `json:"ends"`
	By        string    `json:"by"`
	Used      time.Time `json:"used,omitzero"` // to the minute
	// Refused says why it lets nobody in: its row is not as it was written.
	Refused string `json:"refused,omitempty"`

	hash string
	mark []byte
}

// Scopes are the rights that a token may have. Approving is for a second person, and
// managing would let a token make others.
func Scopes() (out []string) {
	for _, r := range screen.Rights() {
		if r != screen.Approve && r != screen.HelpDesk && r != screen.Manage {
			out = append(out, string(r))
		}
	}
	return out
}

// MakeToken makes a token and gives its text, which is nowhere kept and shown once. Name,
// Rights, Customers and Ends are the caller's. Kind problem.Usage for what cannot be.
func (c *Console) MakeToken(ctx context.Context, t Token, actor string) (Token, secret.Text, error) {
	text := secret.New(TokenPrefix + token.Text().Reveal())
	t.ID, t.Made, t.By, t.hash, t.Used, t.Refused = token.ID("ct"), c.now(), actor, hashOf(text), time.Time{}, ""
	t.Ends, t.Customers, t.Name = t.Ends.UTC().Truncate(time.Microsecond), lowered(t.Customers), strings.TrimSpace(t.Name)
	slices.Sort(t.Rights)
	t.Rights = slices.Compact(t.Rights)
	if err := t.check(); err != nil {
		return Token{}, secret.Text{}, err
	}
	err := c.d.DB.InTx(ctx, func(ctx context.Context) error {
		rows, err := c.tokenRows(ctx)
		if err != nil {
			return err
		}
		if len(rows) >= maxTokens {
			return problem.New(problem.Limit, "there are %d tokens, and no more are made", len(rows)).WithHint("remove those that are over")
		}
		if err := c.insertToken(ctx, &t); err != nil {
			return err
		}
		return c.tellToken(ctx, audit.ConsoleTokenMade, &t, actor)
	})
	if err != nil {
		return Token{}, secret.Text{}, err
	}
	return t, text, nil
}

func (t *Token) check() error {
	bad := func(format string, args ...any) *problem.Error { return problem.New(problem.Usage, format, args...) }
	if why := textFault(t.Name, maxName); why != "" {
		return bad("the name %s", why).WithHint("say what the token is for")
	}
	if why := textFault(t.By, 200); why != "" {
		return bad("who makes the token %s", why)
	}
	if len(t.Rights) == 0 {
		return bad("a token without rights is of no use").WithHint("one or more of %s", strings.Join(Scopes(), ", "))
	}
	for _, r := range t.Rights {
		if !slices.Contains(Scopes(), r) {
			return bad("a token cannot have the right %.40q", r).WithHint("one or more of %s", strings.Join(Scopes(), ", "))
		}
	}
	switch {
	case t.Customers != nil && len(t.Customers) == 0:
		return bad("the list of customers is empty, so the token would show nothing").WithHint("name customers, or none for all")
	case !t.Ends.After(t.Made):
		return bad("the token would end before it begins")
	case t.Ends.Sub(t.Made) > MaxTokenLife:
		return bad("the token would live longer than a year").WithHint("make another when it is over")
	}
	return checkCustomers(t.Customers)
}

// Tokens lists the tokens, oldest first, those that are over too.
func (c *Console) Tokens(ctx context.Context) ([]Token, error) {
	rows, err := c.tokenRows(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := c.holdToken(ctx, &rows[i]); isForged(err) {
			rows[i].Refused = err.Error()
		} else if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (c *Console) holdToken(ctx context.Context, t *Token) error {
	return c.holds(ctx, tokenBook, t.ID, t.mark, t.values(), audit.ConsoleTokenMade)
}

// RemoveToken ends a token at once. Kind problem.NotFound when there is none.
func (c *Console) RemoveToken(ctx context.Context, id, actor string) (Token, error) {
	var was Token
	err := c.d.DB.InTx(ctx, func(ctx context.Context) error {
		rows, err := c.tokenRows(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(t Token) bool { return t.ID == id })
		if i < 0 {
			return problem.New(problem.NotFound, "no token has the id %.40q", id).WithHint("partnerguard console tokens lists them")
		}
		was = rows[i]
		if _, err := c.deleteToken(ctx, id); err != nil {
			return err
		}
		return c.tellToken(ctx, audit.ConsoleTokenRemoved, &was, actor)
	})
	return was, err
}

func (c *Console) tellToken(ctx context.Context, action audit.Action, t *Token, actor string) error {
	d := map[string]string{"name": t.Name, "rights": strings.Join(t.Rights, " "), "ends": t.Ends.Format(time.RFC3339)}
	if t.Customers != nil {
		d["customers"] = fmt.Sprint(len(t.Customers))
	}
	return c.record(ctx, audit.Event{Action: action, Outcome: audit.Done, Actor: actor, Object: t.ID, Details: d})
}

var tokenForm = pattern.Later(`^pg_[A-Za-z0-9_-]{43}$`)

// byToken is who a program is by its token. Kind problem.Unauthenticated where it is not
// taken, which the trail says, a stranger's at most once a minute.
func (c *Console) byToken(ctx context.Context, text, address string) (*screen.Viewer, error) {
	no := problem.New(problem.Unauthenticated, "the token is not taken").
		WithHint("partnerguard console tokens lists those that are; make one with: partnerguard console tokens add")
	refuse := func(t *Token, cause string) error {
		e := audit.Event{Action: audit.ConsoleTokenRefused, Outcome: audit.Refused, Actor: "unknown", Reason: cause,
			Details: map[string]string{"address": address}}
		if t != nil {
			e.Actor, e.Object = "token:"+t.ID, t.ID
			e.Details["name"] = t.Name
		}
		n := c.stray.Due(c.now(), "token "+e.Object+cause)
		if n == 0 {
			return no
		}
		e.Details["times"] = fmt.Sprint(n)
		if err := c.record(ctx, e); err != nil {
			c.d.Log.ErrorContext(ctx, "a refusal could not be recorded", "err", err)
		}
		return no
	}
	if !tokenForm.MatchString(text) {
		return nil, refuse(nil, "it is none of ours by its form")
	}
	hash := hashOf(secret.New(text))
	t, err := c.tokenRow(ctx, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, refuse(nil, "there is no such token")
	}
	if err != nil {
		return nil, err
	}
	if t.hash != hash {
		return nil, refuse(nil, "there is no such token")
	}
	if err := c.holdToken(ctx, &t); isForged(err) {
		return nil, refuse(&t, "its row is not as it was written")
	} else if err != nil {
		return nil, err
	}
	now := c.now()
	switch {
	case !now.Before(t.Ends):
		return nil, refuse(&t, "it ended on "+t.Ends.Format(time.DateOnly))
	case now.Before(t.Made.Add(-backwards)):
		return nil, refuse(&t, "it is of the future: the clock was set back")
	}
	if now.Sub(t.Used) >= seenEvery {
		c.aside(ctx, t.ID, func(ctx context.Context) error { return c.touchToken(ctx, t.ID, now) })
	}
	v := &screen.Viewer{ID: t.ID, Name: t.Name, Role: "Token", Actor: "token:" + t.ID, Customers: t.Customers}
	for _, r := range t.Rights {
		v.Rights = append(v.Rights, screen.Right(r))
	}
	return v, nil
}
