package queue_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/bridge/queue"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// What does not go through for two days comes back; while a token cannot be had it waits.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.out.will(func(m *upstream.Message) ([]upstream.Reply, error) {
		if m.To[0] == "ben@contoso.example" {
			return nil, &upstream.Failure{Token: true, Reply: upstream.Reply{Code: 535, Enhanced: "5.7.3", Text: "Authentication unsuccessful"}}
		}
		return nil, nil
	})
	r.put("ben@contoso.example")
	r.run()
	r.until("tried a few times", func() bool { return r.q.Counts().Tries > 3 })
	if len(r.out.taken()) != 0 || len(r.rec.Events()) != 0 {
		t.Fatalf("%q %v", r.out.taken(), r.rec.Actions())
	}
	r.later(49 * time.Hour)
	r.until("told", r.empty)
	if got := r.out.taken(); len(got) != 1 || !strings.Contains(got[0], "4.4.7 not delivered within 48h0m0s: the server said: 535 5.7.3") {
		t.Errorf("%q", got)
	}
}

// A notice that cannot be sent makes no other: the trail has it.
func TestNoticeOfNoNotice(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.out.will(func(*upstream.Message) ([]upstream.Reply, error) {
		return nil, &upstream.Failure{Reply: upstream.Reply{Code: 554, Enhanced: "5.2.252", Text: "SendAsDenied"}}
	})
	r.put("ben@contoso.example")
	r.run()
	r.until("given up", r.empty)
	if len(r.rec.Of(audit.BridgeBounced)) != 1 || len(r.rec.Of(audit.BridgeLost)) != 1 {
		t.Errorf("%v", r.rec.Actions())
	}
}

// The queue is bounded, and a disk without room takes nothing; what waits is not harmed.
func TestFull(t *testing.T) {
	t.Parallel()
	var free uint64 = 1 << 40
	r := newRig(t, dbtest.SQLite(t), func(d *queue.Deps) {
		d.Rules.Messages, d.Rules.Bytes = 3, 4<<20
		d.Free = func(string) (uint64, bool) { return free, true }
	})
	for range 2 {
		r.put("ben@contoso.example")
	}
	d, err := r.q.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = d.Write(make([]byte, 100_000))
	}
	if !errors.Is(err, problem.Limit) || d.Size() < 2<<20 {
		t.Errorf("after %d bytes: %v", d.Size(), err)
	}
	if _, err := r.q.Begin(); !errors.Is(err, problem.Limit) {
		t.Errorf("one more: %v", err)
	}
	d.Abort()
	free = 1
	if _, err := r.q.Begin(); !errors.Is(err, problem.Limit) {
		t.Errorf("a full disk: %v", err)
	}
	free = 1 << 40
	if n, _ := r.q.Holds(); n != 2 {
		t.Errorf("%d are held", n)
	}
	r.run()
	r.until("sent", r.empty)
}

// Half a message, one without a row, one without its file, one that was changed.
func TestCrashed(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	gone, bent, fine := r.put("gone@contoso.example"), r.put("bent@contoso.example"), r.put("fine@contoso.example")
	forged := r.put("forged@contoso.example")
	r.close()
	at := func(name string) string { return filepath.Join(r.deps.Folder, name) }
	raw, err := os.ReadFile(at(bent.ID + ".msg"))
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-3] ^= 1
	for name, b := range map[string][]byte{bent.ID + ".msg": raw, "bm-half.part": []byte("x"), "bm-orphan.msg": []byte("x")} {
		if err := os.WriteFile(at(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(at(gone.ID + ".msg")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.deps.DB.ExecContext(t.Context(), `UPDATE bridge_queue SET recipients = '[{"to":"thief@elsewhere.example","state":"waiting"}]' WHERE id = $1`,
		forged.ID); err != nil {
		t.Fatal(err)
	}
	r.open()
	r.run()
	r.until("all but the forged one are done", func() bool {
		rows, _, _ := r.left()
		return rows == 1 && len(r.rec.Of(audit.BridgeLost)) == 2
	})
	sent := strings.Join(r.out.taken(), "\n")
	if !strings.Contains(sent, "> fine@contoso.example: From:") || strings.Contains(sent, "> gone@") || strings.Contains(sent, "> bent@") ||
		strings.Contains(sent, "thief@") {
		t.Errorf("%q", sent)
	}
	if strings.Count(sent, "the bridge lost the message") < 2 {
		t.Errorf("nobody was told: %q", sent)
	}
	if _, err := r.q.List(t.Context()); !errors.Is(err, vault.ErrForged) {
		t.Errorf("the forged one: %v", err)
	}
	_ = fine
}

// A database that is away for a moment does not make two of one message.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.rec.Fail(problem.New(problem.Unavailable, "away"))
	r.out.will(func(m *upstream.Message) ([]upstream.Reply, error) {
		if strings.HasPrefix(m.To[0], "no@") {
			return []upstream.Reply{{Code: 550, Text: "no"}, {Code: 250}}, nil
		}
		return nil, nil
	})
	r.put("no@contoso.example", "ben@contoso.example")
	r.run()
	r.until("it was sent to ben", func() bool { return len(r.out.taken()) > 0 })
	time.Sleep(500 * time.Millisecond)
	r.rec.Fail(nil)
	r.until("done", r.empty)
	n := 0
	for _, g := range r.out.taken() {
		n += strings.Count(g, "> ben@contoso.example:")
	}
	if n != 1 {
		t.Errorf("ben has it %d times", n)
	}
}

// Exchange Online's limits are kept: the message waits, and is not refused.
func TestRates(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t), func(d *queue.Deps) { d.Limits.PerMinute, d.Limits.PerDay = 2, 5 })
	for range 4 {
		r.put("ben@contoso.example")
	}
	r.run()
	r.until("two are sent", func() bool { return len(r.out.taken()) == 2 })
	time.Sleep(300 * time.Millisecond)
	if n := len(r.out.taken()); n != 2 {
		t.Errorf("%d were sent in the first minute", n)
	}
	if n, _ := r.q.Holds(); n != 2 {
		t.Errorf("%d wait", n)
	}
}

// 50 MB go through without being in memory.
func TestLarge(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	d, err := r.q.Begin()
	if err != nil {
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 76) + "\r\n")
	for range (50 << 20) / len(line) {
		if _, err := d.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Commit(t.Context(), queue.Envelope{Mailbox: "a@b.example", Sender: "a@b.example", Recipients: []string{"c@d.example"}}, nil); err != nil {
		t.Fatal(err)
	}
	got := int64(0)
	r.out.will(func(m *upstream.Message) ([]upstream.Reply, error) {
		body, err := m.Body()
		if err != nil || m.Size < 1<<20 { // the notice
			return nil, err
		}
		defer body.Close()
		got, err = io.Copy(io.Discard, body)
		if err != nil || got != m.Size {
			return nil, &upstream.Failure{Reply: upstream.Reply{Code: 451}}
		}
		return []upstream.Reply{{Code: 550, Text: "enough"}}, nil
	})
	r.run()
	r.until("it was read", func() bool { return r.q.Counts().Failed > 0 })
	if got != d.Size() {
		t.Errorf("%d of %d bytes", got, d.Size())
	}
}
