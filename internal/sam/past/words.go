package past

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"sync"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// words records into the audit trail, and makes those entries its own that say
// what stands of a connection, an approval or an invitation: with a MAC under a
// key of the vault, over what they say and over how long the trail was just
// before. Whoever writes the database can append an entry, which the tree then
// bears out, and cannot make one of these; nor can he repeat an older one, as it
// says itself how old it is.
type words struct {
	db     *db.DB
	trail  *trail.Trail
	vault  *vault.Vault
	origin string

	gone string // why its key is not made anew before a person accepts the database

	mu   sync.Mutex // guards the field below, which is set once
	kept sealedWords
}

// What a word adds to an entry.
const (
	wordAfter = "after" // how long the trail was
	wordMAC   = "word"
)

// sealedWords is what the vault keeps.
type sealedWords struct {
	Key  []byte `json:"key"`  // nil before the first word
	From int64  `json:"from"` // entries up to here are of before words, and count without
}

// steers says whether what stands hangs on entries of an action.
func steers(a audit.Action) bool {
	switch a {
	case audit.ConnectionConsented, audit.ConnectionRenewed, audit.ConnectionAccepted, audit.ConnectionRemoved,
		audit.ApprovalGiven, audit.ApprovalWithdrawn, audit.InvitationMade, audit.InvitationUsed, audit.InvitationWithdrawn:
		return true
	}
	return false
}

// openWords opens the key of this trail's words, which the first word makes. One
// that the trail says was made, and the vault does not have, is not made anew: all
// entries would count then.
func openWords(ctx context.Context, d Deps) (*words, error) {
	origin, err := d.Trail.Origin(ctx)
	if err != nil {
		return nil, err
	}
	w := &words{db: d.DB, trail: d.Trail, vault: d.Vault, origin: origin}
	if _, err = w.load(ctx); errors.Is(err, problem.NotFound) {
		head, err := d.Trail.Head(ctx)
		if err != nil {
			return nil, err
		}
		switch err := w.neverMade(ctx, head.Seq); {
		case errors.Is(err, errWordsGone):
			w.gone = errWordsGone.Error()
		case err != nil:
			return nil, err
		}
		return w, nil
	}
	return w, err
}

var errWordsGone = errors.New("the key that tells the audit trail's own words is gone from the vault, and the trail says that it was made")

// accept makes the key anew: a person took the database as it is.
func (w *words) accept(ctx context.Context) error {
	gone := w.gone
	if gone == "" {
		return nil
	}
	w.gone = ""
	_, err := w.current(ctx)
	if err != nil {
		w.gone = gone
	}
	return err
}

func (w *words) ref() vault.Ref {
	return vault.Ref{Purpose: "trail-words", Owner: w.origin, Name: "hmac"}
}

func (w *words) read(ctx context.Context) (kept sealedWords, err error) {
	text, err := w.vault.Get(ctx, w.ref())
	if err != nil {
		return kept, err
	}
	if err := json.Unmarshal([]byte(text.Reveal()), &kept); err != nil || len(kept.Key) != sha256.Size || kept.From < 0 {
		return kept, problem.New(problem.BadInput, "the key of the trail's words cannot be used")
	}
	return kept, nil
}

// neverMade refuses a trail that says, up to an entry, that its key was made, and
// one that does not hold, of which nobody knows.
func (w *words) neverMade(ctx context.Context, to int64) error {
	name, made := []byte(`"action":"`+string(audit.TrailWords)+`"`), false
	err := w.trail.Held(ctx, 0, to, func(line []byte) bool { return bytes.Contains(line, name) },
		func(e trail.Entry) { made = made || e.Action == audit.TrailWords })
	if made {
		return errWordsGone
	}
	return err
}

// have is the key that this process knows; without one, everything is of before.
func (w *words) have() sealedWords {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept
}

// load learns the key that another process made meanwhile.
func (w *words) load(ctx context.Context) (sealedWords, error) {
	if kept := w.have(); kept.Key != nil {
		return kept, nil
	}
	kept, err := w.read(ctx)
	if err == nil && w.db.Tx(ctx) == nil { // else it may be undone
		w.mu.Lock()
		w.kept = kept
		w.mu.Unlock()
	}
	return kept, err
}

// current gives the key, and makes it for the first word.
func (w *words) current(ctx context.Context) (kept sealedWords, err error) {
	if kept, err = w.load(ctx); !errors.Is(err, problem.NotFound) {
		return kept, err
	}
	err = w.db.InTx(ctx, func(ctx context.Context) (err error) {
		// First the entry: its lock makes one of two processes wait for the other.
		if err := w.trail.Record(ctx, audit.Event{Action: audit.TrailWords, Outcome: audit.Done, Actor: "system:trail", Object: w.origin}); err != nil {
			return err
		}
		if kept, err = w.read(ctx); !errors.Is(err, problem.NotFound) {
			return err
		}
		head, err := w.trail.Head(ctx)
		if err != nil {
			return err
		}
		if w.gone != "" {
			return problem.Wrap(errWordsGone, problem.Conflict, "%s", w.gone).
				WithHint("restore the vault from a newer backup, or partnerguard connect accept --all")
		}
		kept = sealedWords{Key: make([]byte, sha256.Size), From: head.Seq}
		_, _ = rand.Read(kept.Key) // never fails
		raw, err := json.Marshal(kept)
		if err != nil {
			return err
		}
		return w.vault.Put(ctx, w.ref(), secret.New(string(raw)))
	})
	return kept, err
}

// record is the trail's, with the word where one belongs.
func (w *words) record(ctx context.Context, e audit.Event) error {
	if !steers(e.Action) {
		return w.trail.Record(ctx, e)
	}
	kept, err := w.current(ctx)
	if err != nil {
		return err
	}
	head, err := w.trail.Head(ctx)
	if err != nil {
		return err
	}
	e.Details = maps.Clone(e.Details)
	if e.Details == nil {
		e.Details = map[string]string{}
	}
	e.Details[wordAfter] = strconv.FormatInt(head.Seq, 10)
	e.Details[wordMAC] = kept.mac(w.origin, &e)
	return w.trail.Record(ctx, e)
}

// mac is over what is believed of an entry, written one way only.
func (k sealedWords) mac(origin string, e *audit.Event) string {
	raw, _ := json.Marshal([]string{"partnerguard word", origin, string(e.Action), string(e.Outcome), e.Object,
		e.Details["generation"], e.Details["approval"], e.Details[wordAfter]})
	m := hmac.New(sha256.New, k.Key)
	m.Write(raw)
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// fits says whether an entry counts, and after which entry it was written.
func (w *words) fits(e *trail.Entry) (after int64, ok bool) {
	kept := w.have()
	if kept.Key == nil || e.Seq <= kept.From {
		return e.Seq - 1, true
	}
	after, err := strconv.ParseInt(e.Details[wordAfter], 10, 64)
	if err != nil || after < 0 || after >= e.Seq || strconv.FormatInt(after, 10) != e.Details[wordAfter] {
		return 0, false
	}
	return after, hmac.Equal([]byte(e.Details[wordMAC]), []byte(kept.mac(w.origin, &e.Event)))
}
