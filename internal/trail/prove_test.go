package trail_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// memoryVault keeps one secret.
type memoryVault struct {
	has  bool
	kept secret.Text
}

func (v *memoryVault) Get(context.Context, vault.Ref) (secret.Text, error) {
	if !v.has {
		return secret.Text{}, problem.New(problem.NotFound, "none")
	}
	return v.kept, nil
}

func (v *memoryVault) Put(_ context.Context, _ vault.Ref, s secret.Text) error {
	v.has, v.kept = true, s
	return nil
}

// Every entry can be proved under every checkpoint from then on, by its note and
// the key alone; what was changed of a proof shows.
func TestProveEntry(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tr := open(t, d)
		v := &memoryVault{}
		s, err := tr.Signer(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		var old []byte
		const many = 700
		for i := range many {
			if i == 300 {
				if _, old, err = tr.Sign(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			if err := tr.Record(t.Context(), audit.Event{Action: "x.y", Outcome: audit.Done, Actor: "a", Object: strconv.Itoa(i)}); err != nil {
				t.Fatal(err)
			}
		}
		c, now, err := tr.Sign(t.Context(), s)
		if err != nil || c.Size != many+1 {
			t.Fatal(c, err)
		}
		for _, seq := range []int64{1, 2, 255, 256, 257, 301, 512, 513, many + 1} {
			for _, note := range [][]byte{old, now} {
				p, err := tr.ProveEntry(t.Context(), seq, note)
				if at, _ := trail.PeekNote(note); seq > at.Size {
					if !errors.Is(err, problem.NotFound) {
						t.Errorf("entry %d: %v", seq, err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if e, _, err := p.Verify(s.Verifier()); err != nil || e.Seq != seq {
					t.Errorf("entry %d: %v %v", seq, e.Seq, err)
				}
				raw, err := json.Marshal(p)
				if err != nil {
					t.Fatal(err)
				}
				var again trail.Proof
				if err := json.Unmarshal(raw, &again); err != nil {
					t.Fatal(err)
				}
				again.Entry = strings.Replace(again.Entry, `"actor":"`, `"actor":"b`, 1)
				if _, _, err := again.Verify(s.Verifier()); !errors.Is(err, problem.Unmet) {
					t.Errorf("a changed entry: %v", err)
				}
				again = p
				again.Hashes = append([]trail.Hash{}, p.Hashes...)
				again.Hashes[0][3] ^= 1
				if _, _, err := again.Verify(s.Verifier()); !errors.Is(err, problem.Unmet) {
					t.Errorf("a changed hash: %v", err)
				}
				again = p
				again.Checkpoint = strings.Replace(p.Checkpoint, "\n"+strconv.Itoa(many+1)+"\n", "\n"+strconv.Itoa(many+2)+"\n", 1)
				if at, _ := trail.PeekNote(note); at.Size == many+1 {
					if _, _, err := again.Verify(s.Verifier()); err == nil {
						t.Error("a changed checkpoint is believed")
					}
				}
			}
		}
	})
}
