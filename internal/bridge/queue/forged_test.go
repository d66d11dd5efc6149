package queue_test

import (
	"os"
	"path/filepath"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
)

// Whoever writes into the database has nothing sent by it when the bridge starts: a row
// whose end is unknown is not marked anew as it stands, one without a file brings no
// notice, and no file outside of the folder goes.
func TestForgedRowAtStart(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		mine := r.put("ben@contoso.example")
		r.close()
		outside := filepath.Join(filepath.Dir(r.deps.Folder), "precious.msg")
		if err := os.WriteFile(outside, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{
			`UPDATE bridge_queue SET state = 'ending', recipients = '[{"to":"thief@elsewhere.example","state":"waiting"}]'`,
			`INSERT INTO bridge_queue (id, place, device, mailbox, sender, recipients, message_id, size, made, next, tries, state, bounce, doubts, reason, mark)
			SELECT '../precious', place, device, 'boss@contoso.example', sender, recipients, message_id, size, made, next, tries, 'waiting', bounce, doubts,
			'pay this at once', mark FROM bridge_queue`,
		} {
			if _, err := d.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		r.open()
		r.run()
		due := r.put("cleo@contoso.example")
		r.until("what is right is sent", func() bool { rows, _, _ := r.left(); return rows == 2 && len(r.out.taken()) > 0 })
		r.close()
		for _, got := range r.out.taken() {
			if got != "scans@contoso.example > cleo@contoso.example: "+text {
				t.Errorf("sent: %q", got)
			}
		}
		r.open()
		if list, err := r.q.List(t.Context()); err == nil || len(list) != 0 {
			t.Errorf("%v %v, of %s and %s", list, err, mine.ID, due.ID)
		}
		for _, path := range []string{outside, filepath.Join(r.deps.Folder, mine.ID+".msg")} {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
		if len(r.rec.Events()) != 0 {
			t.Errorf("%v", r.rec.Actions())
		}
	})
}
