package attack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/trail"
)

// TestTrailPagesMislead: what a search of the trail is led by is not in the tree.
// Withdrawn approvals, used invitations and older connections are put back, and
// the pages say something else of themselves, or stand over one another.
func TestTrailPagesMislead(t *testing.T) {
	t.Parallel()
	b := age(t, "")
	s := b.must()
	for range 600 {
		b.ok(s.Trail.Record(t.Context(), started))
	}
	b.ok(s.Close())
	for name, mislead := range map[string]func(h *house, p *pen){
		"a time of none": func(h *house, p *pen) {
			_, err := p.Exec("UPDATE trail_pages SET earliest = 9223372036854775807 WHERE entries LIKE '%approval.withdrawn%' OR entries LIKE " +
				"'%invitation.used%'")
			h.ok(err)
		},
		"times of none for connections": func(h *house, p *pen) {
			_, err := p.Exec("UPDATE trail_pages SET earliest = 9223372036854775807 WHERE entries LIKE '%connection.renewed%' AND (entries LIKE " +
				"'%\"generation\":\"3\"%' OR entries LIKE '%\"generation\":\"4\"%')")
			h.ok(err)
		},
		"a page over another": func(h *house, p *pen) {
			// The two last pages become one, and a forged one stands over its end.
			type pg struct {
				first, last, earliest, latest int64
				entries                       string
			}
			var list []pg
			rows, err := p.Query("SELECT * FROM (SELECT first, last, earliest, latest, entries FROM trail_pages WHERE first > (SELECT max(first) FROM " +
				"trail_pages WHERE entries LIKE '%approval.withdrawn%') ORDER BY first LIMIT 2) ORDER BY first DESC")
			h.ok(err)
			for rows.Next() {
				var x pg
				h.ok(rows.Scan(&x.first, &x.last, &x.earliest, &x.latest, &x.entries))
				list = append(list, x)
			}
			h.ok(rows.Err())
			_ = rows.Close()
			z, y := list[0], list[1]
			_, err = p.Exec("DELETE FROM trail_pages WHERE first = $1 OR first = $2", y.first, z.first)
			h.ok(err)
			put := func(x pg) {
				_, err := p.Exec("INSERT INTO trail_pages (first, last, earliest, latest, entries) VALUES ($1, $2, $3, $4, $5)", x.first, x.last, x.earliest,
					x.latest, x.entries)
				h.ok(err)
			}
			put(pg{y.first, z.last, y.earliest, z.latest, y.entries + "\n" + z.entries})
			var lines []string
			var id string
			h.ok(p.QueryRow("SELECT id FROM approvals WHERE caller = 'ops'").Scan(&id))
			for n := z.first; n <= z.last; n++ {
				line := trail.Canonical(n, audit.Event{At: time.UnixMicro(z.latest), Action: audit.ApprovalGiven, Outcome: audit.Done, Actor: "local:ada",
					Object: h.first, Details: map[string]string{"approval": id}})
				sum := sha256.Sum256(append([]byte{0}, line...))
				lines = append(lines, hex.EncodeToString(sum[:])+" "+string(line))
			}
			put(pg{z.first, z.last, z.earliest, z.latest, strings.Join(lines, "\n")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := b.at(t, clone(t, b.dir), "")
			h.remembers()
			set := []string{"approvals", "invitations"}
			if strings.Contains(name, "connections") {
				set = []string{"connections", "vault_rows"}
			}
			b.put(h, b.old, set...)
			p := h.pen()
			mislead(h, p)
			_ = p.Close()
			d := h.live()
			if a := d.tokens["ops"]; a.status == 200 {
				t.Errorf("a withdrawn approval counts again: %s", a.token)
			}
			if d.opened["waits"] != "" {
				t.Errorf("an invitation that was used opens again: %v", d.opened)
			}
			for _, id := range []string{h.first, h.second} {
				if len(set) > 0 && set[0] == "connections" && d.renewed[id] == renew.Renewed && !d.names("does not open", "earlier state") {
					t.Errorf("%s of an earlier generation was renewed", id)
				}
			}
			fmt.Println(name, d.refused, d.tokens["ops"].status, d.opened, d.renewed, d.trail)
		})
	}
}
