package trail

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"strconv"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// Options are the optional parts. Nil Now means time.Now.
type Options struct {
	Now func() time.Time
}

// Trail is the audit trail of one database. Any number of processes may record
// into the same one. Safe for concurrent use.
type Trail struct {
	db  *db.DB
	now func() time.Time

	mu      sync.Mutex // guards the rest
	next    *batch     // what the next commit takes; nil when nothing waits
	writing bool       // a goroutine is committing and will take next
}

// batch is what is committed together. Its recorders wait for done.
type batch struct {
	items []item
	size  int
	full  *batch // the one after it, when it took no more
	done  chan struct{}
	err   error // valid once done is closed
}

// item is an event whose number is not known yet.
type item struct {
	at   int64
	tail []byte
}

// Limits of a page. A page is one row: a reader holds one at a time.
const (
	pageEntries = 1024
	pageBytes   = 512 << 10
	// commitTime bounds a commit, so that a database which hangs makes its
	// recorders fail instead of gathering them without end.
	commitTime = 30 * time.Second
)

// Open gives the trail of a database, and begins one in an empty database.
func Open(ctx context.Context, d *db.DB, o Options) (*Trail, error) {
	t := &Trail{db: d, now: o.Now}
	if t.now == nil {
		t.now = time.Now
	}
	anchor := hex.EncodeToString(token.Bytes(len(Hash{})))
	if _, err := d.ExecContext(ctx, "INSERT INTO trail_head (one, anchor, seq, hash) VALUES (1, $1, 0, $1) ON CONFLICT (one) DO NOTHING", anchor); err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the audit trail cannot be opened")
	}
	return t, nil
}

// Record appends an event; a zero At becomes now. When it returns nil the event
// is durable: with q nil in a transaction of its own, shared with whoever
// records at the same moment; else as soon as the caller's transaction q is
// committed, and not at all when that is undone.
//
// Recording takes the lock of the chain's head until the transaction ends: in
// a transaction of several steps, record last. With q nil it waits for the
// commit even when ctx ends meanwhile, so that a nil error and a durable event
// are the same; a commit is given up after half a minute.
func (t *Trail) Record(ctx context.Context, q db.Querier, e audit.Event) error {
	if e.At.IsZero() {
		e.At = t.now()
	}
	it := item{e.At.UnixMicro(), tail(e)}
	switch q.(type) {
	case nil:
	case *db.DB, *sql.DB, *sql.Conn: // no transaction: the chain would tear
		if q != db.Querier(t.db) && q != db.Querier(t.db.DB) {
			return problem.New(problem.Internal, "the audit trail was given another database than its own")
		}
	default:
		return failed(add(ctx, q, []item{it}))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b := t.join(it)
	<-b.done // within commitTime
	return failed(b.err)
}

func failed(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.Internal, "the audit trail could not be written").
		WithHint("check the database and its disk; nothing is handed out that the trail does not hold")
}

// join puts an item into the batch that is committed next.
func (t *Trail) join(it item) *batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == nil {
		t.next = &batch{done: make(chan struct{})}
	}
	b := t.next
	for b.full != nil {
		b = b.full
	}
	if len(b.items) > 0 && (len(b.items) == pageEntries || b.size+len(it.tail) > pageBytes) {
		b.full = &batch{done: make(chan struct{})}
		b = b.full
	}
	b.items, b.size = append(b.items, it), b.size+len(it.tail)
	if !t.writing {
		t.writing = true
		go t.write()
	}
	return b
}

// gather is how long a commit waits for more recorders when the one before it
// had several: a commit costs far more than an entry. A lone recorder never
// waits.
const gather = 2 * time.Millisecond

// write commits batches until none waits. While one is being committed the
// next one gathers.
func (t *Trail) write() {
	for before := 0; ; {
		if before > 4 && before < pageEntries {
			time.Sleep(gather)
		}
		t.mu.Lock()
		b := t.next
		if b == nil {
			t.writing = false
			t.mu.Unlock()
			return
		}
		t.next = b.full
		before = len(b.items)
		t.mu.Unlock()
		ctx, stop := context.WithTimeout(context.Background(), commitTime)
		b.err = t.db.Tx(ctx, func(tx *sql.Tx) error { return add(ctx, tx, b.items) })
		stop()
		close(b.done)
	}
}

// add appends one page within a transaction. The first statement takes the
// head's lock, on either database, until the transaction ends.
func add(ctx context.Context, q db.Querier, items []item) error {
	var last int64
	var before string
	err := q.QueryRowContext(ctx, "UPDATE trail_head SET seq = seq + $1 WHERE one = 1 RETURNING seq, hash", len(items)).Scan(&last, &before)
	if err != nil {
		return err
	}
	h, err := ParseHash(before)
	if err != nil {
		return err
	}
	first := last - int64(len(items)) + 1
	var page []byte
	var line []byte
	earliest, latest := items[0].at, items[0].at
	for i, it := range items {
		line = strconv.AppendInt(append(line[:0], `{"seq":`...), first+int64(i), 10)
		line = append(line, it.tail...)
		h = h.next(line)
		if page == nil {
			page = make([]byte, 0, len(items)*(len(line)+80))
		} else {
			page = append(page, '\n')
		}
		page = append(append(hex.AppendEncode(page, h[:]), ' '), line...)
		earliest, latest = min(earliest, it.at), max(latest, it.at)
	}
	if _, err := q.ExecContext(ctx, "INSERT INTO trail_pages (first, last, earliest, latest, entries) VALUES ($1, $2, $3, $4, $5)", first, last, earliest, latest, string(page)); err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, "UPDATE trail_head SET hash = $1 WHERE one = 1", h.String())
	return err
}

// Head is where a chain stands: written down elsewhere it shows later that
// nothing before it was changed and nothing up to it was cut off.
type Head struct {
	Seq  int64 `json:"seq"` // 0: nothing was recorded yet, and Hash is the anchor
	Hash Hash  `json:"hash"`
}

// Head reads where the chain stands, as the head row says.
func (t *Trail) Head(ctx context.Context) (Head, error) {
	h, _, err := t.head(ctx)
	return h, err
}

func (t *Trail) head(ctx context.Context) (h Head, anchor Hash, err error) {
	var a, s string
	if err = t.db.QueryRowContext(ctx, "SELECT anchor, seq, hash FROM trail_head WHERE one = 1").Scan(&a, &h.Seq, &s); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return h, anchor, problem.New(problem.BadInput, "the head of the audit trail is missing: it was removed")
		}
		return h, anchor, unread(err)
	}
	var aerr, herr error
	anchor, aerr = ParseHash(a)
	h.Hash, herr = ParseHash(s)
	if aerr != nil || herr != nil || h.Seq < 0 {
		return h, anchor, problem.New(problem.BadInput, "the head of the audit trail is damaged")
	}
	return h, anchor, nil
}

func unread(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.BadInput, "the audit trail cannot be read")
}

// page is one row.
type page struct {
	first, last, earliest, latest int64
	entries                       []byte
}

func (p *page) lines() [][]byte { return bytes.Split(p.entries, []byte{'\n'}) }

// pages gives up to n pages by a query on the columns of page.
func (t *Trail) pages(ctx context.Context, n int, where string, args ...any) ([]page, error) {
	rows, err := t.db.QueryContext(ctx, "SELECT first, last, earliest, latest, entries FROM trail_pages WHERE "+where+" LIMIT "+strconv.Itoa(n), args...)
	if err != nil {
		return nil, unread(err)
	}
	defer rows.Close()
	var list []page
	for rows.Next() {
		var p page
		if err := rows.Scan(&p.first, &p.last, &p.earliest, &p.latest, &p.entries); err != nil {
			return nil, unread(err)
		}
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, unread(err)
	}
	return list, nil
}
