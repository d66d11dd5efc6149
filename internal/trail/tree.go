package trail

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// tree is what must be known of a Merkle tree to go on with it: the roots of its
// perfect subtrees, widest first (RFC 6962 section 2.1).
type tree struct {
	size  int64
	nodes []tlog.Hash
}

func (t *tree) add(leaf tlog.Hash) {
	t.nodes = append(t.nodes, leaf)
	for n := t.size; n&1 == 1; n >>= 1 {
		k := len(t.nodes)
		t.nodes[k-2] = tlog.NodeHash(t.nodes[k-2], t.nodes[k-1])
		t.nodes = t.nodes[:k-1]
	}
	t.size++
}

// root is the tree's hash.
func (t *tree) root() tlog.Hash {
	if len(t.nodes) == 0 {
		return sha256.Sum256(nil)
	}
	h := t.nodes[len(t.nodes)-1]
	for i := len(t.nodes) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.nodes[i], h)
	}
	return h
}

func (t *tree) bytes() []byte {
	b := make([]byte, 0, len(t.nodes)*tlog.HashSize)
	for _, h := range t.nodes {
		b = append(b, h[:]...)
	}
	return b
}

// parseTree reads what bytes wrote; false when it is no tree of that size.
func parseTree(size int64, nodes []byte) (t tree, ok bool) {
	if size < 0 || len(nodes) != bits.OnesCount64(uint64(size))*tlog.HashSize {
		return t, false
	}
	t.size = size
	for ; len(nodes) > 0; nodes = nodes[tlog.HashSize:] {
		t.nodes = append(t.nodes, tlog.Hash(nodes[:tlog.HashSize]))
	}
	return t, true
}

// The height of tiles, as in C2SP tlog-tiles.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// tiles writes each tile that an appended leaf, the one numbered size, makes
// full. leaves are those since the last full tile.
type tiles struct{ leaves []tlog.Hash }

func (s *tiles) add(ctx context.Context, q *db.DB, size int64, leaf tlog.Hash) error {
	if s.leaves = append(s.leaves, leaf); len(s.leaves) < tileWidth {
		return nil
	}
	n := size/tileWidth - 1
	root, err := putTile(ctx, q, 0, n, s.leaves)
	if err != nil {
		return err
	}
	s.leaves = s.leaves[:0]
	for level := 1; (n+1)%tileWidth == 0; level++ {
		n = (n+1)/tileWidth - 1
		list, err := tileRoots(ctx, q, level-1, n*tileWidth, tileWidth)
		if err != nil {
			return err
		}
		if list[tileWidth-1] != root {
			return problem.New(problem.BadInput, "the tiles of the audit trail are damaged")
		}
		if root, err = putTile(ctx, q, level, n, list); err != nil {
			return err
		}
	}
	return nil
}

func putTile(ctx context.Context, q *db.DB, level int, n int64, hashes []tlog.Hash) (tlog.Hash, error) {
	var t tree
	raw := make([]byte, 0, tileWidth*tlog.HashSize)
	for _, h := range hashes {
		t.add(h)
		raw = append(raw, h[:]...)
	}
	root := t.root()
	_, err := q.ExecContext(ctx, insertTile, level, n, root[:], raw)
	return root, err
}

// tileRoots gives the roots of count tiles of a level from n on.
func tileRoots(ctx context.Context, q *db.DB, level int, n int64, count int) ([]tlog.Hash, error) {
	rows, err := q.QueryContext(ctx, readRoots, level, n, n+int64(count))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := make([]tlog.Hash, 0, count)
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		if len(raw) != tlog.HashSize {
			break
		}
		list = append(list, tlog.Hash(raw))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(list) != count {
		return nil, problem.New(problem.BadInput,
			"tiles of the audit trail are missing or damaged: the tree's hashes from tile %d of level %d on", n+int64(len(list)), level)
	}
	return list, nil
}

// leavesAfter reads the leaf hashes of the entries after number after, up to
// size, from the pages.
func leavesAfter(ctx context.Context, q *db.DB, after, size int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, 0, max(0, min(size-after, tileWidth)))
	if after >= size {
		return list, nil
	}
	rows, err := q.QueryContext(ctx, readPagesBetween, after, size, after-pageEntries) // a page has no more
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p page
		if err := rows.Scan(&p.first, &p.last, &p.earliest, &p.latest, &p.entries); err != nil {
			return nil, err
		}
		for _, line := range p.lines() {
			_, canonical, ok := split(line)
			n, numbered := number(canonical)
			switch {
			case !ok || !numbered:
				return nil, problem.New(problem.BadInput, "the audit trail is damaged after entry %d", after+int64(len(list)))
			case n <= after || n > size:
			case n != after+int64(len(list))+1:
				return nil, problem.New(problem.BadInput, "the audit trail is damaged after entry %d", after+int64(len(list)))
			default:
				list = append(list, tlog.RecordHash(canonical))
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if int64(len(list)) != size-after {
		return nil, problem.New(problem.BadInput, "the audit trail is damaged after entry %d", after+int64(len(list)))
	}
	return list, nil
}

// stored reads the tree's hashes for proofs. It does not trust them: reader
// checks every tile against the root.
type stored struct {
	ctx  context.Context
	q    *db.DB
	size int64
}

// Height is tlog's.
func (s stored) Height() int { return tileHeight }

// SaveTiles has nothing to do: they are stored.
func (s stored) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles reads full tiles, and puts partial ones together.
func (s stored) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, 0, len(list))
	for _, t := range list {
		var hashes []tlog.Hash
		var err error
		switch {
		case t.W == tileWidth:
			var raw []byte
			err = s.q.QueryRowContext(s.ctx, readHashes, t.L, t.N).Scan(&raw)
			if errors.Is(err, sql.ErrNoRows) {
				err = problem.New(problem.BadInput, "a tile of the audit trail is missing: %s", t.Path())
			}
			if err != nil {
				return nil, err
			}
			out = append(out, raw)
			continue
		case t.L == 0:
			hashes, err = leavesAfter(s.ctx, s.q, t.N*tileWidth, t.N*tileWidth+int64(t.W))
		default:
			hashes, err = tileRoots(s.ctx, s.q, t.L-1, t.N*tileWidth, t.W)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, (&tree{nodes: hashes}).bytes())
	}
	return out, nil
}

// reader gives the hashes of a tree, each checked against its root.
func (t *Trail) reader(ctx context.Context, at tree) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: at.size, Hash: at.root()}, stored{ctx, t.db, at.size})
}

// rootAt is the root of the tree when it had size entries, out of the present one.
func (t *Trail) rootAt(ctx context.Context, now tree, size int64) (Hash, error) {
	if size < 0 || size > now.size {
		return Hash{}, problem.New(problem.Conflict, "the trail has %d entries, not %d", now.size, size)
	}
	if size == now.size {
		return Hash(now.root()), nil
	}
	h, err := tlog.TreeHash(size, t.reader(ctx, now))
	if err != nil {
		return Hash{}, torn(err)
	}
	return Hash(h), nil
}

func torn(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.Conflict, "the hashes of the audit trail do not fit its head").WithHint("partnerguard trail verify names the entry")
}
