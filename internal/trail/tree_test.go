package trail_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// many records n entries in pages of 1,000, as many callers at once would.
func many(t testing.TB, d *db.DB, tr *trail.Trail, n int) {
	t.Helper()
	if err := d.InTx(t.Context(), func(ctx context.Context) error {
		for i := range n {
			if err := tr.Record(ctx, event(i)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// The root is RFC 6962's, computed here from its definition.
func mth(leaves [][32]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	a, b := mth(leaves[:k]), mth(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, a[:]...), b[:]...))
}

func TestRootIsRFC6962(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tr := open(t, d)
		var leaves [][32]byte
		for n := 1; n <= 20; n++ {
			head, err := tr.Head(t.Context())
			if err != nil || head.Hash != mth(leaves) || head.Seq != int64(n-1) {
				t.Fatalf("%d entries: %v %v", n-1, head, err)
			}
			record(t, tr, n, n)
			leaves = append(leaves, sha256.Sum256(append([]byte{0}, trail.Canonical(int64(n), event(n))...)))
		}
	})
}

// Tiles get full by single commits, by pages of many, by transactions of others;
// after each of these the next one goes on.
func TestTiles(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tr, other := open(t, d), open(t, d)
		record(t, tr, 1, 200)
		many(t, d, other, 50)
		record(t, tr, 1, 10)
		many(t, d, tr, 300)
		record(t, other, 1, 250)
		holds(t, tr, 810)
		var n int
		if err := d.QueryRow("SELECT count(*) FROM trail_tiles WHERE level = 0").Scan(&n); err != nil || n != 3 {
			t.Errorf("%d tiles, %v", n, err)
		}
		for name, c := range map[string]struct {
			do string
			at int64
		}{
			"a tile's root":  {"UPDATE trail_tiles SET root = hashes WHERE n = 1", 257},
			"a tile removed": {"DELETE FROM trail_tiles WHERE n = 2", 513},
		} {
			tx := clone(t, d)
			exec(t, tx, c.do)
			r, err := open(t, tx).Verify(t.Context(), nil)
			if err != nil || r.Bad == nil || r.Bad.Seq != c.at {
				t.Errorf("%s: %+v %v", name, r.Bad, err)
			}
		}
	})
}

// clone copies the trail's tables into a database of SQLite.
func clone(t *testing.T, from *db.DB) *db.DB {
	t.Helper()
	to := dbtest.SQLite(t)
	for table, columns := range map[string]int{"trail_pages": 5, "trail_head": 4, "trail_tiles": 4} {
		rows, err := from.Query("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, columns), make([]any, columns)
			var marks []string
			for i := range values {
				into[i] = &values[i]
				marks = append(marks, fmt.Sprintf("$%d", i+1))
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			exec(t, to, "INSERT INTO "+table+" VALUES ("+strings.Join(marks, ",")+")", values...)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// old makes the trail that a version before wrote: a hash chain.
func old(t *testing.T, d *db.DB, n int) (anchor, head [32]byte) {
	t.Helper()
	anchor = sha256.Sum256([]byte("anchor"))
	head = anchor
	for i := 1; i <= n; i++ {
		c := trail.Canonical(int64(i), event(i))
		head = sha256.Sum256(append(head[:], c...))
		exec(t, d, "INSERT INTO trail_pages VALUES ($1, $1, $2, $2, $3)", i, event(i).At.UnixMicro(), fmt.Sprintf("%x %s", head, c))
	}
	exec(t, d, "DELETE FROM trail_head")
	exec(t, d, "INSERT INTO trail_chain VALUES (1, $1, $2, $3)", hex.EncodeToString(anchor[:]), n, hex.EncodeToString(head[:]))
	return anchor, head
}

func TestChainIsCarriedOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		_, head := old(t, d, 600)
		tr := open(t, d)
		holds(t, tr, 601)
		f, err := tr.Search(t.Context(), trail.Query{Action: string(audit.TrailCarried)})
		if err != nil || len(f.Entries) != 1 || f.Entries[0].Details["chain"] != hex.EncodeToString(head[:]) {
			t.Fatalf("%+v %v", f, err)
		}
		record(t, tr, 1, 300)
		open(t, d)
		holds(t, tr, 901)
		// A head that was written down before still counts.
		h := trail.Hash(head)
		if r, err := tr.Verify(t.Context(), &h); err != nil || r.Bad != nil {
			t.Errorf("%v %v", r.Bad, err)
		}
		for _, after := range []int64{0, 5, 599, 600, 601, 700} {
			var b bytes.Buffer
			end, err := tr.Export(t.Context(), &b, after)
			if err != nil || end.Seq != 901 {
				t.Fatalf("after %d: %v %v", after, end, err)
			}
			r, err := trail.VerifyExport(&b, &end.Hash)
			if err != nil || r.Bad != nil || r.Entries != 901-after {
				t.Errorf("after %d: %+v %v", after, r, err)
			}
		}
		// The chain is still checked beside the tree.
		exec(t, d, "UPDATE trail_chain SET seq = 599")
		if r, err := tr.Verify(t.Context(), nil); err != nil || r.Bad == nil || r.Bad.Seq != 599 {
			t.Errorf("%+v %v", r.Bad, err)
		}
	})
}

func TestBrokenChainIsNotCarriedOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do string
		at int64
	}{
		"edited":      {`UPDATE trail_pages SET entries = replace(entries, '"n":"7"', '"n":"8"')`, 7},
		"cut":         {"DELETE FROM trail_pages WHERE first > 8", 9},
		"head edited": {"UPDATE trail_chain SET hash = anchor", 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.SQLite(t)
			old(t, d, 10)
			exec(t, d, c.do)
			tr := open(t, d)
			if err := tr.Record(t.Context(), event(1)); !errors.Is(err, problem.Conflict) || !strings.Contains(err.Error(), fmt.Sprintf("entry %d", c.at)) {
				t.Errorf("recorded: %v", err)
			}
			if r, err := tr.Verify(t.Context(), nil); err != nil || r.Bad == nil || r.Bad.Seq != c.at {
				t.Errorf("%+v %v", r.Bad, err)
			}
			if f, err := tr.Search(t.Context(), trail.Query{}); err != nil || len(f.Entries) < 8 {
				t.Errorf("it can still be read: %v", err)
			}
		})
	}
}

// A head row that was removed is not made anew over what is there.
func TestHeadIsNotMadeOverEntries(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	tr := open(t, d)
	record(t, tr, 1, 3)
	exec(t, d, "DELETE FROM trail_head")
	tr = open(t, d)
	if err := tr.Record(t.Context(), event(1)); !errors.Is(err, problem.Internal) {
		t.Errorf("recorded without a head: %v", err)
	}
	if _, err := tr.Verify(t.Context(), nil); !errors.Is(err, problem.BadInput) {
		t.Errorf("%v", err)
	}
}

func TestOldExport(t *testing.T) {
	t.Parallel()
	anchor := sha256.Sum256([]byte("a"))
	h := anchor
	text := fmt.Sprintf(`{"form":"partnerguard-trail-1","anchor":"%x","after":0,"hash":"%x"}`+"\n", anchor, anchor)
	for n := 1; n <= 3; n++ {
		c := trail.Canonical(int64(n), event(n))
		h = sha256.Sum256(append(h[:], c...))
		text += fmt.Sprintf(`{"hash":"%x","entry":%s}`+"\n", h, c)
	}
	head := trail.Hash(h)
	if r, err := trail.VerifyExport(strings.NewReader(text), &head); err != nil || r.Bad != nil || r.Entries != 3 || r.Head.Hash != head {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := trail.VerifyExport(strings.NewReader(strings.Replace(text, `"n":"2"`, `"n":"3"`, 1)), nil); err != nil || r.Bad == nil || r.Bad.Seq != 2 {
		t.Errorf("%+v %v", r, err)
	}
}
