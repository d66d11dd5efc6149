package attack

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/sam/renew"
)

// lastUnmarked is the newest schema of before rows were marked.
const lastUnmarked = 8

// relic is a database as the program of that schema wrote it, with its own code:
// testdata/before-marks.json holds its rows and the key of its vault.
type relic struct {
	Key    string `json:"key"`
	Tables []struct {
		Name    string   `json:"name"`
		Columns []string `json:"columns"`
		Rows    [][]any  `json:"rows"`
	} `json:"tables"`
}

// old makes an old installation, beside a new one whose tokens the cloud knows.
func old(t *testing.T, c *cloud, fresh *house, url string) *house {
	t.Helper()
	raw, err := os.ReadFile("testdata/before-marks.json")
	if err != nil {
		t.Fatal(err)
	}
	var r relic
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&r); err != nil {
		t.Fatal(err)
	}
	h := &house{TB: t, cloud: c, dir: t.TempDir(), url: url, net: newWire(c), fabrikam: fresh.fabrikam, policy: fresh.policy, callers: fresh.callers}
	h.ok(os.MkdirAll(h.data(), 0o700))
	h.ok(os.MkdirAll(filepath.Join(h.dir, "anchor"), 0o700))
	h.ok(os.WriteFile(filepath.Join(h.dir, "key"), []byte(r.Key), 0o600))
	p := h.pen()
	defer p.Close()
	dialect, folder := goose.DialectSQLite3, "sqlite"
	if p.dialect == db.Postgres {
		dialect, folder = goose.DialectPostgres, "postgres"
	}
	g, err := goose.NewProvider(dialect, p.DB, os.DirFS("../db/migrations/"+folder))
	h.ok(err)
	_, err = g.UpTo(t.Context(), lastUnmarked)
	h.ok(err)
	for _, x := range r.Tables {
		for _, row := range x.Rows {
			for i, v := range row {
				switch v := v.(type) {
				case json.Number:
					row[i], err = v.Int64()
					h.ok(err)
				case map[string]any:
					row[i], err = hex.DecodeString(v["hex"].(string))
					h.ok(err)
				}
			}
			h.ok(changed(p.Exec(insert(&table{name: x.Name, columns: x.Columns}, strings.Join(x.Columns, ", ")), row...)))
		}
	}
	h.first = p.list("SELECT id FROM connections")[0][0].(string)
	s := fresh.must()
	held, err := s.SAM.Store.Token(t.Context(), fresh.first)
	h.ok(err)
	h.ok(s.Close())
	h.net.alias = map[string]string{"token-of-before-2": held.Current.Reveal(), "secret-of-before": h.lab().Secret(panelApp).Reveal()}
	h.net.families[held.Current.Reveal()] = h.first
	return h
}

func each(t *testing.T, do func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { do(t, "") })
	t.Run("postgres", func(t *testing.T) { do(t, dbtest.PostgresURL(t)) })
}

// TestOldFolder opens a folder of before rows were marked and the trail was a
// tree: it is trusted once, told, carried over, and works.
func TestOldFolder(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	fresh := build(t, c, t.TempDir(), "")
	each(t, func(t *testing.T, url string) {
		h := old(t, c, fresh, url)
		// Where it says that its cloud answers is not believed even then.
		p := h.pen()
		res, err := p.Exec("UPDATE connections SET body = replace(body, 'https://login.microsoftonline.com', '" + c.thief.address + "')")
		h.ok(changed(res, err))
		_ = p.Close()
		d := h.live()
		if !d.names("1 connections were trusted as they stood") || d.refused != "" || d.trail != "" || d.check.Forged+d.check.Bad != 0 ||
			d.check.Marked != 4 { // its approval is asked for anew
			t.Fatalf("%+v", d)
		}
		if d.renewed[h.first] != renew.Renewed {
			t.Errorf("it is not renewed: %q", d.said)
		}
		for s := range d.sent {
			if !strings.Contains(s, " login.microsoftonline.com ") && !strings.HasPrefix(s, "bearer https graph.microsoft.com") && !strings.HasPrefix(s,
				"bearer https api.partnercenter.microsoft.com") {
				t.Errorf("it asked elsewhere: %s", s)
			}
		}
		if c.thief.calls.Load() > 0 {
			t.Error("the thief was called")
		}
		s := h.must()
		h.recorded(t, s, "trail.carried", "vault.marked", "connection.consented", "connection.accepted")
		h.ok(s.Close())
		// Once: what loses its mark after that is held back.
		p = h.pen()
		_, err = p.Exec("UPDATE connections SET mark = substr(mark, 1, 0)")
		h.ok(err)
		_ = p.Close()
		if d := h.live(); d.renewed[h.first] != renew.Held || d.names("trusted as they stood") {
			t.Errorf("it is trusted again: %q", d.said)
		}
	})
}

// TestOldFolderBrokenChain: a trail whose hash chain does not hold is not carried
// over, and nothing is done without a trail.
func TestOldFolderBrokenChain(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	fresh := build(t, c, t.TempDir(), "")
	each(t, func(t *testing.T, url string) {
		h := old(t, c, fresh, url)
		p := h.pen()
		res, err := p.Exec("UPDATE trail_pages SET entries = replace(entries, 'mtls:billing', 'mtls:nobody8') WHERE first = 9")
		h.ok(changed(res, err))
		_ = p.Close()
		for range 2 {
			d := h.live()
			if !strings.Contains(d.refused, "the trail does not hold at entry 9") && !strings.Contains(d.refused, "entry 9") {
				t.Errorf("%q %q", d.refused, d.said)
			}
			if len(d.sent) > 0 {
				t.Errorf("it asked all the same: %v", d.sent)
			}
		}
	})
}
