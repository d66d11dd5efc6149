package vault

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// Options are what a vault may be given. The zero value works.
type Options struct {
	Now    func() time.Time // nil is time.Now
	Log    *slog.Logger     // nil discards
	Record audit.Recorder   // nil records nothing
	Actor  string           // who changes the vault, for the trail; "" is "system:vault"
	Books  []*Book          // tables with marked rows: rotation marks them anew, Check looks at them
}

// Vault seals and opens secrets. Safe for concurrent use, by several processes
// too.
type Vault struct {
	db    *db.DB
	now   func() time.Time
	log   *slog.Logger
	rec   audit.Recorder
	actor string
	books []*Book
	fixed bool // keys never change: within a transaction that changes them

	spy func(querier) querier // tests look at, or break, what reaches the database

	mu     sync.Mutex // guards the fields below
	master Master
	keys   *keys
	told   map[Ref]time.Time // damaged rows that were recorded, and when
}

// keys is an opened keyset. It does not change.
type keys struct {
	generation int64
	handle     *keyset.Handle
	aead       tink.AEAD
	primary    uint32
	ids        map[uint32]bool
	marks      map[uint32][]byte // the subkey of marked rows, by the key's id
	legacy     bool              // from before rows were marked
}

// Open opens the vault in d with its master key, and makes it when d has none.
// A master key that is not the vault's is refused with [ErrWrongMaster] and both
// ids.
func Open(ctx context.Context, d *db.DB, m Master, o Options) (*Vault, error) {
	v := newVault(d, m, o)
	_, err := readKeyset(ctx, v.q())
	if errors.Is(err, sql.ErrNoRows) {
		err = v.create(ctx)
	}
	if err != nil {
		return nil, dbFailed(err)
	}
	if _, err := v.load(ctx, v.q()); err != nil {
		return nil, err
	}
	return v, nil
}

func newVault(d *db.DB, m Master, o Options) *Vault {
	v := &Vault{db: d, now: o.Now, log: o.Log, rec: o.Record, actor: o.Actor, books: o.Books, master: m, told: map[Ref]time.Time{}}
	if v.now == nil {
		v.now = time.Now
	}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	if v.actor == "" {
		v.actor = "system:vault"
	}
	return v
}

// create makes the first keyset. When two processes do so at once, one wins and
// both use what it made.
func (v *Vault) create(ctx context.Context) error {
	n, err := countRows(ctx, v.q(), nil)
	if err != nil {
		return err
	}
	var any bool
	if err := v.db.QueryRowContext(ctx, hasKeyset).Scan(&any); err != nil {
		return err
	}
	if any {
		return nil // another process was faster, or load says that it cannot be read
	}
	if n > 0 {
		return problem.Wrap(ErrDamaged, problem.BadInput, "the vault has %d sealed secrets, and its keyset is gone", n).
			WithHint("restore a backup: partnerguard vault restore --replace --from FILE")
	}
	h, err := keyset.NewHandle(aead.XChaCha20Poly1305KeyTemplate())
	if err != nil {
		return problem.Wrap(err, problem.Internal, "no key could be made")
	}
	now := v.now().UTC()
	s := stored{Vault: token.ID("v"), Generation: 1, Created: now, Changed: now}
	if s, err = wrap(ctx, s, h, v.currentMaster()); err != nil {
		return err
	}
	return v.tx(ctx, func(ctx context.Context, q querier) error {
		made, err := insertKeyset(ctx, q, s)
		if err != nil || !made {
			return err
		}
		return v.record(ctx, audit.Event{Action: audit.VaultCreated, Outcome: audit.Done, Object: s.Vault, Details: map[string]string{"master": s.Slot.ID}})
	})
}

func slotData(vault, kind, id string) []byte {
	return bind("partnerguard vault data key", "1", vault, kind, id)
}

// keysetData is bound to the sealed keyset: also whether rows of other tables
// are marked under it. So who cannot open the keyset cannot make it look like
// one from before marks, whose rows are trusted once.
func keysetData(s stored) []byte {
	form := "2"
	if s.Legacy {
		form = "1"
	}
	return bind("partnerguard vault keyset", form, s.Vault, s.Slot.Kind, s.Slot.ID)
}

// wrap seals h under a new data key, wraps that by m, and proves that it opens
// again: a master that can wrap and not unwrap would lock everything away.
func wrap(ctx context.Context, s stored, h *keyset.Handle, m Master) (stored, error) {
	key := token.Bytes(32)
	defer clear(key)
	slot, err := m.Wrap(ctx, s.Vault, key)
	if err != nil {
		return s, err
	}
	s.Slot = slot
	box, err := subtle.NewXChaCha20Poly1305(key)
	if err != nil {
		return s, problem.Wrap(err, problem.Internal, "the keyset could not be sealed")
	}
	var out bytes.Buffer
	if err := h.WriteWithAssociatedData(keyset.NewBinaryWriter(&out), box, keysetData(s)); err != nil {
		return s, problem.Wrap(err, problem.Internal, "the keyset could not be sealed")
	}
	s.Keyset = out.Bytes()
	_, err = unwrap(ctx, s, m)
	return s, err
}

// unwrap opens a stored keyset.
func unwrap(ctx context.Context, s stored, m Master) (*keys, error) {
	key, err := m.Unwrap(ctx, s.Vault, s.Slot)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	broken := func(err error) error {
		return problem.Wrap(errors.Join(ErrDamaged, err), problem.BadInput,
			"the master key %s is the right one, and the vault's keyset does not open: it was changed", s.Slot.ID).
			WithHint("restore a backup: partnerguard vault restore --replace --from FILE")
	}
	box, err := subtle.NewXChaCha20Poly1305(key)
	if err != nil {
		return nil, broken(err)
	}
	var h *keyset.Handle
	for _, s.Legacy = range []bool{false, true} {
		if h, err = keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(s.Keyset)), box, keysetData(s)); err == nil {
			break
		}
	}
	if err != nil {
		return nil, broken(err)
	}
	k, err := newKeys(h, s)
	if err != nil {
		return nil, broken(err)
	}
	return k, nil
}

func newKeys(h *keyset.Handle, s stored) (k *keys, err error) {
	k = &keys{generation: s.Generation, handle: h, ids: map[uint32]bool{}, legacy: s.Legacy}
	if k.aead, err = aead.New(h); err != nil {
		return nil, err
	}
	if k.marks, err = subkeys(h); err != nil {
		return nil, err
	}
	info := h.KeysetInfo()
	k.primary = info.GetPrimaryKeyId()
	for _, i := range info.GetKeyInfo() {
		k.ids[i.GetKeyId()] = true
	}
	return k, nil
}

// load reads the keyset of the database as q sees it, and opens it unless it is
// known. It calls the master key's keeper when another process changed the keys.
func (v *Vault) load(ctx context.Context, q querier) (*keys, error) {
	if v.fixed {
		return v.cached(), nil
	}
	s, err := readKeyset(ctx, q)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.Wrap(ErrDamaged, problem.BadInput, "the vault's keyset is gone or not readable").
			WithHint("restore a backup: partnerguard vault restore --replace --from FILE")
	}
	if err != nil {
		return nil, dbFailed(err)
	}
	if k := v.cached(); k != nil && k.generation == s.Generation {
		return k, nil
	}
	k, err := unwrap(ctx, s, v.currentMaster())
	if err != nil {
		return nil, err
	}
	v.keep(k)
	return k, nil
}

// keep remembers the keys, unless newer ones are known.
func (v *Vault) keep(k *keys) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys == nil || v.keys.generation <= k.generation {
		v.keys = k
	}
}

// currentKeys gives the keys to seal with, which stay the vault's until the
// transaction q ends.
func (v *Vault) currentKeys(ctx context.Context, q querier) (*keys, error) {
	if v.fixed {
		return v.cached(), nil
	}
	g, err := readGeneration(ctx, q, v.db.Dialect)
	if err == nil {
		if k := v.cached(); k.generation == g {
			return k, nil
		}
	} else if !errors.Is(err, sql.ErrNoRows) {
		return nil, dbFailed(err)
	}
	return v.load(ctx, q)
}

func (v *Vault) cached() *keys {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.keys
}

// Master is what opens the vault now.
func (v *Vault) Master() Master { return v.currentMaster() }

func (v *Vault) currentMaster() Master {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.master
}

// tellAgain is how long a damaged row that was recorded is not recorded again.
const tellAgain = time.Hour

// news tells whether nobody was told of the damaged row lately.
func (v *Vault) news(r Ref) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	if at, ok := v.told[r]; ok && now.Sub(at).Abs() < tellAgain {
		return false
	}
	if len(v.told) > 10_000 {
		clear(v.told)
	}
	v.told[r] = now
	return true
}

func (v *Vault) record(ctx context.Context, e audit.Event) error {
	if v.rec == nil {
		return nil
	}
	e.At = v.now().UTC().Truncate(time.Microsecond)
	e.Actor = v.actor
	return v.rec.Record(ctx, e)
}

// querier is what reads and writes: the database, within the transaction that a
// context carries, or a test's view of it.
type querier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// tx runs do in the caller's transaction, or in one of its own.
func (v *Vault) tx(ctx context.Context, do func(context.Context, querier) error) error {
	return dbFailed(v.db.InTx(ctx, func(ctx context.Context) error { return do(ctx, v.q()) }))
}

func (v *Vault) q() querier { return v.seen(v.db) }

func (v *Vault) seen(q querier) querier {
	if v.spy != nil {
		return v.spy(q)
	}
	return q
}
