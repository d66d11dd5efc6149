package trail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
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

	prepared map[string]*sql.Stmt // does not change

	mu      sync.Mutex        // guards the rest
	next    *batch            // what the next commit takes; nil when nothing waits
	want    int               // so many as are waited for before the next commit
	enough  chan struct{}     // closed when they are there; nil when nobody waits for them
	writing bool              // a goroutine is committing and will take next
	signed  Checkpoint        // the newest that this process signed
	told    map[string]string // of each anchor, the trouble that was told last
	seen    []tree            // where [Trail.Held] came to, the newest last
	last    *known            // what the goroutine that commits, and only it, left behind
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

// Open gives the trail of a database, and begins one in an empty database. A
// trail of before, a hash chain, is checked and carried over into the tree; one
// that does not hold stays as it is: it can be read and [Trail.Verify] names the
// place, and nothing can be recorded.
func Open(ctx context.Context, d *db.DB, o Options) (*Trail, error) {
	t := &Trail{db: d, now: o.Now, told: map[string]string{}}
	if t.now == nil {
		t.now = time.Now
	}
	err := t.prepare(ctx)
	if err == nil {
		err = t.begin(ctx)
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the audit trail cannot be opened")
	}
	return t, nil
}

// Record appends an event; a zero At becomes now. When it returns nil the event
// is durable: in a transaction of its own, shared with whoever records at the
// same moment; or, when ctx carries a transaction of this database, as soon as
// that is committed, and not at all when it is undone.
//
// Recording takes the lock of the tree's head until the transaction ends: in
// a transaction of several steps, record last. Without one it waits for the
// commit even when ctx ends meanwhile, so that a nil error and a durable event
// are the same; a commit is given up after half a minute.
func (t *Trail) Record(ctx context.Context, e audit.Event) error {
	if e.At.IsZero() {
		e.At = t.now()
	}
	it := item{e.At.UnixMicro(), tail(e)}
	if t.db.Tx(ctx) != nil {
		return failed(t.add(ctx, []item{it}, nil))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b := t.join(it)
	<-b.done // within commitTime
	return failed(b.err)
}

func failed(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, problem.Conflict) {
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
	if t.enough != nil && (len(t.next.items) >= t.want || t.next.full != nil) {
		close(t.enough)
		t.enough = nil
	}
	if !t.writing {
		t.writing = true
		go t.write()
	}
	return b
}

// gather is how long a commit waits, at most, for as many recorders as the one
// before it had: a commit costs far more than an entry, and those that it let go
// are often back soon. A recorder alone does not wait, unless the commit before it
// was for several.
const gather = 2 * time.Millisecond

// gatherUp waits for as many as before.
func (t *Trail) gatherUp(before int) {
	if before <= 4 || before >= pageEntries {
		return
	}
	t.mu.Lock()
	if t.next != nil && len(t.next.items) >= before {
		t.mu.Unlock()
		return
	}
	enough := make(chan struct{})
	t.want, t.enough = before, enough
	t.mu.Unlock()
	timer := time.NewTimer(gather)
	defer timer.Stop()
	select {
	case <-enough:
	case <-timer.C:
		t.mu.Lock()
		t.enough = nil
		t.mu.Unlock()
	}
}

// write commits batches until none waits. While one is being committed the
// next one gathers.
func (t *Trail) write() {
	for before := 0; ; {
		t.gatherUp(before)
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
		var now *known
		b.err = t.db.InTx(ctx, func(ctx context.Context) error {
			now = &known{}
			if t.last != nil {
				now = &known{tree{t.last.size, slices.Clone(t.last.nodes)}, tiles{slices.Clone(t.last.leaves)}}
			}
			return t.add(ctx, b.items, now)
		})
		stop()
		if t.last = now; b.err != nil {
			t.last = nil
		}
		close(b.done)
	}
}

// known is where this process left the tree.
type known struct {
	tree
	tiles
}

// add appends one page within a transaction. Its first statement takes the
// head's lock, on either database, until the transaction ends. now, when given,
// is where the caller believes the tree to stand, and becomes where it does: one
// statement less while nobody else records.
func (t *Trail) add(ctx context.Context, items []item, now *known) error {
	count := int64(len(items))
	guess := now != nil && now.size > 0
	if !guess {
		if now == nil {
			now = &known{}
		}
		if err := t.take(ctx, now); err != nil {
			return err
		}
	}
	was, wasNodes := now.size, now.bytes()
	page, leaves := writePage(was+1, items)
	for _, h := range leaves {
		now.tree.add(h)
	}
	res, err := t.exec(ctx, moveHead, now.size, now.bytes(), was, wasNodes)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		if err != nil || !guess {
			if err == nil {
				err = problem.New(problem.Internal, "the head of the audit trail was changed by something else")
			}
			return err
		}
		*now = known{} // somebody else recorded
		return t.add(ctx, items, now)
	}
	earliest, latest := items[0].at, items[0].at
	for _, it := range items {
		earliest, latest = min(earliest, it.at), max(latest, it.at)
	}
	res, err = t.exec(ctx, putPage, was+1, was+count, earliest, latest, string(page))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, problem.New(problem.Internal, "the database did not keep what the audit trail recorded"))
	}
	return now.extend(ctx, t.db, was, leaves)
}

func (t *Trail) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	tx := t.db.Tx(ctx)
	if tx == nil {
		return t.db.ExecContext(ctx, query, args...)
	}
	return tx.StmtContext(ctx, t.prepared[query]).ExecContext(ctx, args...)
}

// prepare prepares the statements of a commit.
func (t *Trail) prepare(ctx context.Context) error {
	t.prepared = map[string]*sql.Stmt{}
	for _, query := range []string{moveHead, putPage} {
		s, err := t.db.PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		t.prepared[query] = s
	}
	return nil
}

// extend writes the tiles that leaves after entry was make full.
func (k *known) extend(ctx context.Context, q *db.DB, was int64, leaves []tlog.Hash) (err error) {
	have := int64(len(k.leaves)) == was%tileWidth
	if was%tileWidth+int64(len(leaves)) < tileWidth {
		if have {
			k.leaves = append(k.leaves, leaves...)
		}
		return nil
	}
	if !have {
		if k.leaves, err = leavesAfter(ctx, q, was-was%tileWidth, was); err != nil {
			return err
		}
	}
	for i, h := range leaves {
		if err := k.tiles.add(ctx, q, was+int64(i)+1, h); err != nil {
			return err
		}
	}
	return nil
}

// take locks the head and reads it.
func (t *Trail) take(ctx context.Context, now *known) error {
	var size int64
	var nodes []byte
	err := t.db.QueryRowContext(ctx, lockHead).Scan(&size, &nodes)
	if errors.Is(err, sql.ErrNoRows) {
		return t.headless(ctx, t.db)
	}
	if err != nil {
		return err
	}
	at, ok := parseTree(size, nodes)
	if !ok {
		return problem.New(problem.BadInput, "the head of the audit trail is damaged")
	}
	now.tree, now.leaves = at, nil
	return nil
}

// writePage gives a page's text and the hashes of its leaves.
func writePage(first int64, items []item) (page []byte, leaves []tlog.Hash) {
	leaves = make([]tlog.Hash, 0, len(items))
	line := make([]byte, 1, 512) // a leaf is hashed with a zero byte before it
	for i, it := range items {
		line = strconv.AppendInt(append(line[:1], `{"seq":`...), first+int64(i), 10)
		line = append(line, it.tail...)
		h := tlog.Hash(sha256.Sum256(line))
		leaves = append(leaves, h)
		if page == nil {
			page = make([]byte, 0, len(items)*(len(line)+80))
		} else {
			page = append(page, '\n')
		}
		page = append(append(hex.AppendEncode(page, h[:]), ' '), line[1:]...)
	}
	return page, leaves
}

// Head is where the trail stands: written down elsewhere it shows later that
// nothing before it was changed and nothing up to it was cut off.
type Head struct {
	Seq  int64 `json:"seq"`  // 0: nothing was recorded yet
	Hash Hash  `json:"hash"` // the root of the tree (RFC 6962) of the entries up to Seq
}

// Head reads where the trail stands, as the head row says.
func (t *Trail) Head(ctx context.Context) (Head, error) {
	at, _, err := t.head(ctx)
	return Head{at.size, Hash(at.root())}, err
}

// RootAt is what [Trail.Head] said when the trail had size entries, as far as
// the trail of now still says so; size must not be above the head's.
func (t *Trail) RootAt(ctx context.Context, size int64) (Hash, error) {
	now, _, err := t.head(ctx)
	if err != nil {
		return Hash{}, err
	}
	return t.rootAt(ctx, now, size)
}

func (t *Trail) head(ctx context.Context) (at tree, id string, err error) {
	var size int64
	var nodes []byte
	if err = t.db.QueryRowContext(ctx, readHead).Scan(&id, &size, &nodes); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return at, id, t.headless(ctx, t.db)
		}
		return at, id, unread(err)
	}
	at, ok := parseTree(size, nodes)
	if _, err := ParseHash(id); !ok || err != nil {
		return at, id, problem.New(problem.BadInput, "the head of the audit trail is damaged")
	}
	return at, id, nil
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
	return pages(ctx, t.db, n, where, args...)
}

func pages(ctx context.Context, q *db.DB, n int, where string, args ...any) ([]page, error) {
	rows, err := q.QueryContext(ctx, readPages+where+" LIMIT "+strconv.Itoa(n), args...)
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
