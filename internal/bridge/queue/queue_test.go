package queue_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/queue"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault/vaulttest"
)

// sender is an Exchange Online of the test's making.
type sender struct {
	mu   sync.Mutex
	got  []string // mailbox > recipients: body
	says func(m *upstream.Message) ([]upstream.Reply, error)
}

func (s *sender) Send(_ context.Context, m *upstream.Message) ([]upstream.Reply, error) {
	s.mu.Lock()
	says := s.says
	s.mu.Unlock()
	var replies []upstream.Reply
	if says != nil {
		var err error
		if replies, err = says(m); err != nil {
			return nil, err
		}
	}
	for range m.To[len(replies):] {
		replies = append(replies, upstream.Reply{Code: 250})
	}
	body, err := m.Body()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err == nil {
		err = m.Ending()
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var to []string
	for i, r := range replies {
		if r.OK() {
			to = append(to, m.To[i])
		}
	}
	if len(to) > 0 {
		s.got = append(s.got, m.From+" > "+strings.Join(to, " ")+": "+string(raw))
	}
	return replies, nil
}

func (s *sender) will(says func(m *upstream.Message) ([]upstream.Reply, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.says = says
}

func (s *sender) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

type rig struct {
	*testing.T
	q    *queue.Queue
	deps queue.Deps
	out  *sender
	rec  *audittest.Recorder
	mu   sync.Mutex
	at   time.Time
	stop func()
}

func newRig(t *testing.T, d *db.DB, change ...func(*queue.Deps)) *rig {
	t.Helper()
	r := &rig{T: t, out: &sender{}, rec: &audittest.Recorder{}, at: time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)}
	f, err := bridge.ParseFile("bridge.yaml", []byte("version: 1\nname: bridge.contoso.example\nowner: it@contoso.example\ncertificate: c\nkey: k\n"+
		"listen: [{protocol: smtp, tls: starttls, at: ':587'}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	r.deps = queue.Deps{DB: d, Vault: vaulttest.Open(t, d), Trail: r.rec, Sender: r.out, Folder: t.TempDir(), Name: f.Name, Owner: f.Owner,
		Rules: f.Queue, Limits: f.Limits, Now: r.now, Retry: func(int) time.Duration { return 0 }, Grace: time.Second}
	for _, c := range change {
		c(&r.deps)
	}
	r.open()
	return r
}

func (r *rig) now() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.at }

func (r *rig) later(d time.Duration) { r.mu.Lock(); defer r.mu.Unlock(); r.at = r.at.Add(d) }

// open opens the queue, as the next process would.
func (r *rig) open() {
	r.Helper()
	var err error
	r.q, err = queue.Open(r.Context(), r.deps)
	if err != nil {
		r.Fatal(err)
	}
	r.stop = func() {}
	r.Cleanup(func() { r.close() })
}

func (r *rig) run() {
	ctx, cancel := context.WithCancel(r.Context())
	done := make(chan struct{})
	q := r.q
	go func() { defer close(done); q.Run(ctx) }()
	r.stop = func() { cancel(); <-done }
}

func (r *rig) close() {
	if r.q != nil {
		r.stop()
		_ = r.q.Close()
		r.q = nil
	}
}

const text = "From: scans@contoso.example\r\nSubject: A scan\r\nMessage-ID: <1@scanner>\r\n\r\nHello.\r\n.dot\r\n"

func (r *rig) put(to ...string) queue.Item {
	r.Helper()
	d, err := r.q.Begin()
	if err != nil {
		r.Fatal(err)
	}
	if _, err := io.WriteString(d, text); err != nil {
		r.Fatal(err)
	}
	it, err := d.Commit(r.Context(), queue.Envelope{Device: "bd-1", Mailbox: "scans@contoso.example", Sender: "scans@contoso.example", Recipients: to,
		MessageID: "<1@scanner>"}, nil)
	if err != nil {
		r.Fatal(err)
	}
	return it
}

func (r *rig) until(what string, is func() bool) {
	r.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("it never came to be: %s; sent %q, trail %v", what, r.out.taken(), r.rec.Actions())
		}
	}
}

// left is what is kept: rows, keys, and files of messages.
func (r *rig) left() (rows, keys, files int) {
	r.Helper()
	one := func(q string, n *int) {
		if err := r.deps.DB.QueryRowContext(r.Context(), q).Scan(n); err != nil {
			r.Fatal(err)
		}
	}
	one("SELECT count(*) FROM bridge_queue", &rows)
	one("SELECT count(*) FROM vault_rows WHERE purpose = 'bridge-message'", &keys)
	list, err := os.ReadDir(r.deps.Folder)
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range list {
		if e.Name() != "place" && e.Name() != "queue.lock" {
			files++
		}
	}
	return rows, keys, files
}

func (r *rig) empty() bool {
	rows, keys, files := r.left()
	n, bytes := r.q.Holds()
	return rows+keys+files+n+int(bytes) == 0
}

// A message is on the disk, sealed, when it was taken; it survives a restart, is sent
// once, and nothing of it is kept.
func TestKeptAndSent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		it := r.put("ben@contoso.example", "cleo@elsewhere.example")
		raw, err := os.ReadFile(filepath.Join(r.deps.Folder, it.ID+".msg"))
		if err != nil || bytes.Contains(raw, []byte("Hello")) || bytes.Contains(raw, []byte("scan")) {
			t.Fatalf("%v, or it lies there in the clear", err)
		}
		if _, err := queue.Open(t.Context(), r.deps); !errors.Is(err, problem.Conflict) {
			t.Errorf("two have the queue: %v", err)
		}
		r.close()
		r.open()
		r.run()
		r.until("sent", r.empty)
		if got := r.out.taken(); len(got) != 1 || got[0] != "scans@contoso.example > ben@contoso.example cleo@elsewhere.example: "+text {
			t.Errorf("%q", got)
		}
		if c := r.q.Counts(); c.Sent != 2 || c.Failed != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// Each recipient has a fate of its own: who has it does not get it again, who was
// refused is told of once.
func TestRecipientsApart(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	tries := 0
	r.out.will(func(m *upstream.Message) (out []upstream.Reply, err error) {
		if m.From != "scans@contoso.example" || len(m.To) == 0 {
			return nil, nil
		}
		tries++
		for _, to := range m.To {
			switch {
			case strings.HasPrefix(to, "no@"):
				out = append(out, upstream.Reply{Code: 550, Enhanced: "5.1.10", Text: "RESOLVER.ADR.RecipientNotFound"})
			case strings.HasPrefix(to, "later@") && tries < 4:
				out = append(out, upstream.Reply{Code: 451, Enhanced: "4.7.500", Text: "Server busy"})
			default:
				out = append(out, upstream.Reply{Code: 250})
			}
		}
		return out, nil
	})
	r.put("ben@contoso.example", "no@contoso.example", "later@contoso.example")
	r.run()
	r.until("done", r.empty)
	var ben, later, notices int
	for _, g := range r.out.taken() {
		if strings.Contains(g, "multipart/report") {
			notices++
			head, body, _ := strings.Cut(g, ": ")
			if head != "scans@contoso.example > scans@contoso.example it@contoso.example" {
				t.Errorf("the notice goes %q", head)
			}
			m, err := mail.ReadMessage(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			all, _ := io.ReadAll(m.Body)
			for _, want := range []string{"Final-Recipient: rfc822; no@contoso.example", "Action: failed", "Status: 5.1.10", "Subject: A scan",
				"RecipientNotFound", "Reporting-MTA: dns; bridge.contoso.example"} {
				if !strings.Contains(string(all), want) {
					t.Errorf("the notice lacks %q:\n%s", want, all)
				}
			}
			if strings.Contains(string(all), "Hello.") || strings.Contains(string(all), "later@") || strings.Contains(string(all), "ben@") {
				t.Errorf("the notice says too much:\n%s", all)
			}
			continue
		}
		to, _, _ := strings.Cut(g, ": ")
		ben += strings.Count(to, "ben@")
		later += strings.Count(to, "later@")
	}
	if ben != 1 || later != 1 || notices != 1 {
		t.Errorf("ben %d times, later %d, notices %d: %q", ben, later, notices, r.out.taken())
	}
	if len(r.rec.Of(audit.BridgeBounced)) != 1 {
		t.Errorf("%v", r.rec.Actions())
	}
}

// No answer to the end: it is sent again, and the trail says that there may be two.
func TestDoubtful(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	once := true
	r.out.will(func(m *upstream.Message) ([]upstream.Reply, error) {
		if once {
			once = false
			if err := m.Ending(); err != nil {
				return nil, err
			}
			return nil, &upstream.Failure{Doubtful: true}
		}
		return nil, nil
	})
	r.put("ben@contoso.example")
	r.run()
	r.until("sent", r.empty)
	if e := r.rec.Of(audit.BridgeDoubtful); len(e) != 1 || e[0].Details["messageId"] != "<1@scanner>" {
		t.Errorf("%+v", e)
	}
	if got := r.out.taken(); len(got) != 1 || !strings.Contains(got[0], "Message-ID: <1@scanner>") {
		t.Errorf("%q", got)
	}
	// The process dies between the end and the answer.
	r.close()
	r.open()
	it := r.put("ben@contoso.example")
	r.close()
	dead := r.deps
	dying, kill := context.WithCancel(t.Context())
	dead.Sender = senderFunc(func(ctx context.Context, m *upstream.Message) ([]upstream.Reply, error) {
		if err := m.Ending(); err != nil {
			return nil, err
		}
		kill()
		<-ctx.Done()
		_ = dead.DB.Close() // nothing is written down any more
		return nil, &upstream.Failure{Doubtful: true}
	})
	// A database of its own, so that it can be closed under it.
	other, err := db.Open(t.Context(), r.deps.DB.Where())
	if err != nil {
		t.Fatal(err)
	}
	dead.DB, dead.Grace = other, time.Millisecond
	q, err := queue.Open(t.Context(), dead)
	if err != nil {
		t.Fatal(err)
	}
	q.Run(dying)
	_ = q.Close()
	r.open()
	if e := r.rec.Of(audit.BridgeDoubtful); len(e) != 2 || e[1].Object != it.ID {
		t.Errorf("after the death: %+v", e)
	}
	r.run()
	r.until("sent after the death", r.empty)
}

type senderFunc func(context.Context, *upstream.Message) ([]upstream.Reply, error)

func (f senderFunc) Send(ctx context.Context, m *upstream.Message) ([]upstream.Reply, error) {
	return f(ctx, m)
}
