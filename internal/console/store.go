package console

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// hashOf is what is kept of a secret: these have 256 random bits, so a plain hash will do.
func hashOf(s secret.Text) string {
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:])
}

// words are what the trail says last of each session, link, role and token.
type words struct {
	trail Trail

	mu      sync.Mutex // guards the fields below
	high    int64      // entries up to here were read
	last    map[string]audit.Action
	checked time.Time // by the monotonic clock
}

// wordsFor is how long what the trail said is not looked up again: whoever ends something
// takes its row away at once, and this is against who puts it back.
const wordsFor = 2 * time.Second

// begins are the actions that begin a thing that grants, ends those that end it. An end
// is final: no id is given twice, so a beginning that is written later is somebody else's.
var (
	begins = []audit.Action{audit.ConsoleEntered, audit.ConsoleSteppedUp, audit.ConsoleLinkMade, audit.ConsoleRoleGiven, audit.ConsoleTokenMade}
	ends   = []audit.Action{audit.ConsoleLeft, audit.ConsoleEnded, audit.ConsoleLinkUsed, audit.ConsoleRoleTaken, audit.ConsoleTokenRemoved}
)

// of gives the last that the trail says of a thing, "" for nothing. It is asked outside
// of transactions.
func (w *words) of(ctx context.Context, id string) (audit.Action, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, known := w.last[id]
	if known && time.Since(w.checked) < wordsFor {
		return a, nil
	}
	began := time.Now()
	head, err := w.trail.Head(ctx)
	if err != nil {
		return "", failed(err)
	}
	if head.Seq < w.high {
		return "", problem.New(problem.Conflict, "the audit trail had %d entries a moment ago, and has %d", w.high, head.Seq).
			WithHint("an older database was put in place: partnerguard trail verify looks; start the server again once it is right")
	}
	if head.Seq > w.high {
		news := map[string]audit.Action{}
		err := w.trail.Held(ctx, w.high, head.Seq, func(line []byte) bool { return bytes.Contains(line, []byte(`"action":"console.`)) }, func(e trail.Entry) {
			if e.Outcome != audit.Done || !slices.Contains(ends, e.Action) && !slices.Contains(begins, e.Action) {
				return
			}
			if !slices.Contains(ends, news[e.Object]) && !slices.Contains(ends, w.last[e.Object]) {
				news[e.Object] = e.Action
			}
		})
		if err != nil {
			return "", failed(err)
		}
		if w.last == nil {
			w.last = map[string]audit.Action{}
		}
		for id, a := range news {
			w.last[id] = a
		}
		w.high = head.Seq
	}
	w.checked = began
	return w.last[id], nil
}

// holds holds a row that was read to its mark and to what the trail says of it: one of
// want. The error is [vault.ErrForged] where it does not.
func (c *Console) holds(ctx context.Context, b *vault.Book, id string, mark []byte, values []any, want ...audit.Action) error {
	if err := c.d.Vault.Fits(ctx, b, mark, values...); err != nil {
		return err
	}
	last, err := c.words.of(ctx, id)
	if err != nil || slices.Contains(want, last) {
		return err
	}
	err = problem.Wrap(vault.ErrForged, problem.BadInput, "%s of %s is in the database, and the audit trail says %s of it last", id, b.Table,
		cmp.Or(string(last), "nothing")).WithHint("something else wrote into the database, or an older one was put back: partnerguard trail verify looks")
	if c.stray.Due(c.now(), "forged "+id) > 0 {
		c.d.Log.ErrorContext(ctx, "a row of the database was put back", "table", b.Table, "id", id)
		if rerr := c.record(ctx, audit.Event{Action: audit.RowForged, Outcome: audit.Refused, Actor: "system:console", Object: "row/" + b.Table + "/" + id,
			Reason: "the trail says " + cmp.Or(string(last), "nothing") + " of it last"}); rerr != nil {
			err = errors.Join(err, rerr)
		}
	}
	return err
}

// textFault says what is wrong with a text that people give, "" for nothing.
func textFault(s string, limit int) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "is missing"
	case len(s) > limit:
		return "is too long"
	case strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
	}):
		return "holds characters that cannot be seen"
	}
	return ""
}

// lowered is a list of ids in one spelling, sorted, each once; nil stays nil.
func lowered(ids []string) []string {
	if ids == nil {
		return nil
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = strings.ToLower(strings.TrimSpace(id))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// checkCustomers refuses what is no list of tenant ids.
func checkCustomers(ids []string) error {
	const most = 5000
	if len(ids) > most {
		return problem.New(problem.Limit, "%d customers are named, and at most %d are taken", len(ids), most)
	}
	for _, id := range ids {
		if !guidForm.MatchString(id) {
			return problem.New(problem.Usage, "%.60q is no tenant id", id).WithHint("a customer's tenant id, e.g. 11111111-2222-3333-4444-555555555555")
		}
	}
	return nil
}
