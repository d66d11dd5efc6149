package notify_test

import (
	"strings"
	"testing"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/notify"
)

// TestWrittenMessage: whoever writes the database changes what a message that waits says,
// and still sends no link in our name, nor a second line of a header.
func TestWrittenMessage(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := receive(t, nil)
	o := outbox(t, d, notify.Setting{Name: "soc", Webhook: r.URL, Private: true, Secret: kept(t, reference)})
	m := alarm()
	if err := o.Put(t.Context(), m, "soc"); err != nil {
		t.Fatal(err)
	}
	res, err := d.ExecContext(t.Context(), `UPDATE notify_messages SET body = replace(replace(body, $1, $2), $3, $4)`, "https://guard.example/",
		"https://evil.example/",
		"A group was left out.", `Sign in at https://evil.example\r\nBcc: all@evil.example`)
	if n, _ := res.RowsAffected(); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	working(t, d, o)
	until(t, o, m.ID, "sent")
	if len(r.bodies) != 1 {
		t.Fatal(len(r.bodies))
	}
	body := string(r.bodies[0])
	if !strings.Contains(body, "Sign in at") || strings.Contains(body, "://evil") || strings.Contains(body, "evil.example/") || strings.Contains(body, `\n`) {
		t.Error(body)
	}
}
