package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// Mark says which part it is, of whom, and of when.
type Mark struct {
	Tenant   string    `json:"tenant"` // in lower case
	Part     string    `json:"part"`
	At       time.Time `json:"asOf"`    // judged as of: older facts are marked by their makers
	Made     time.Time `json:"made"`    // when it was judged
	Position string    `json:"segment"` // newest segment of the archive; "" where it was none
	Version  string    `json:"version"` // of the content
}

// Deps is what a Store needs.
type Deps struct {
	DB    *db.DB           // required
	Now   func() time.Time // required
	Cache int64            // bytes of decoded parts that are remembered, roughly; 0 is Cache
}

// Limits.
const (
	Cache   = 256 << 20 // bytes of decoded parts
	MaxPart = 256 << 20 // bytes of a part's JSON
)

// Store keeps snapshots. Safe for concurrent use, by several processes too.
type Store struct {
	d     Deps
	cache *cache
}

// New makes a store over a database whose schema is current.
func New(d Deps) (*Store, error) {
	if d.DB == nil || d.Now == nil {
		return nil, problem.New(problem.Internal, "snapshots have no database or no clock")
	}
	if d.Cache == 0 {
		d.Cache = Cache
	}
	return &Store{d, newCache(d.Cache)}, nil
}

var partName = regexp.MustCompile(`^[a-z][a-zA-Z0-9.]{0,39}$`)

var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxPart))
)

// Put keeps parts of a tenant, judged as of at, in one transaction; each takes the place
// of the one of its name. One that was judged as of later stays: judgements may be slow,
// and end in another order. Kind problem.Limit where a part is too large.
func (s *Store) Put(ctx context.Context, tenant string, at time.Time, position string, parts map[string]any) error {
	tenant = strings.ToLower(tenant)
	rows := make([]row, 0, len(parts))
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if !partName.MatchString(name) || tenant == "" {
			return problem.New(problem.Internal, "a snapshot has no part %q of %q", name, tenant)
		}
		body, err := json.Marshal(parts[name])
		if err != nil {
			return fmt.Errorf("the snapshot's part %s: %w", name, err)
		}
		if len(body) > MaxPart {
			return problem.New(problem.Limit, "the snapshot's part %s has %d bytes, more than %d", name, len(body), MaxPart)
		}
		sum := sha256.Sum256(body)
		rows = append(rows, row{Mark: Mark{Tenant: tenant, Part: name, At: at, Made: s.d.Now(), Position: position, Version: hex.EncodeToString(sum[:16])},
			size: int64(len(body)), body: packer.EncodeAll(body, nil)})
	}
	return s.d.DB.InTx(ctx, func(ctx context.Context) error {
		for i := range rows {
			if err := s.put(ctx, &rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Drop forgets a tenant.
func (s *Store) Drop(ctx context.Context, tenant string) error {
	return s.drop(ctx, strings.ToLower(tenant))
}

// Marks are the parts there are of a name, by tenant.
func (s *Store) Marks(ctx context.Context, part string) ([]Mark, error) { return s.marks(ctx, part) }

// ErrBroken is within the error of a part that is there and cannot be read: another
// program, or somebody else, wrote it. The next judgement makes it anew.
var ErrBroken = errors.New("the part is not one of this program")

// Get reads a part of a tenant. What it gives is shared with others: it is never changed.
// Kind problem.NotFound where none was made yet, and problem.Unavailable with [ErrBroken]
// where it cannot be read.
func Get[T any](ctx context.Context, s *Store, tenant, part string) (*T, Mark, error) {
	m, err := s.mark(ctx, strings.ToLower(tenant), part)
	if err != nil {
		return nil, m, err
	}
	v, err := load[T](ctx, s, m)
	return v, m, err
}

// All reads a part of every tenant that has one, by tenant. An error ends it; one tenant's
// part that cannot be read is given as an error with its mark, and the rest follows.
func All[T any](ctx context.Context, s *Store, part string) iter.Seq2[Of[T], error] {
	return func(yield func(Of[T], error) bool) {
		marks, err := s.marks(ctx, part)
		if err != nil {
			yield(Of[T]{}, err)
			return
		}
		for _, m := range marks {
			v, err := load[T](ctx, s, m)
			if errors.Is(err, problem.NotFound) {
				continue // it went in between
			}
			if !yield(Of[T]{m, v}, err) {
				return
			}
		}
	}
}

// Of is a part with its mark.
type Of[T any] struct {
	Mark
	Part *T
}

func load[T any](ctx context.Context, s *Store, m Mark) (*T, error) {
	key := cacheKey{m.Tenant, m.Part, m.Version, reflect.TypeFor[T]()}
	if v, ok := s.cache.get(key); ok {
		return v.(*T), nil //nolint:forcetypeassert // the key has the type
	}
	r, err := s.read(ctx, m.Tenant, m.Part)
	if err != nil {
		return nil, err
	}
	broken := func(err error) error {
		return problem.Wrap(fmt.Errorf("%w: %w", ErrBroken, err), problem.Unavailable, "what is kept of the page %s of %s cannot be read", m.Part, m.Tenant).
			WithHint("the next judgement writes it anew: partnerguard collect --now")
	}
	body, err := unpacker.DecodeAll(r.body, nil)
	if err != nil {
		return nil, broken(err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:16]) != r.Version {
		return nil, broken(errors.New("its sum is another"))
	}
	v := new(T)
	if err := json.Unmarshal(body, v); err != nil {
		return nil, broken(err)
	}
	key.version = r.Version
	s.cache.put(key, v, 2*int64(len(body))+256)
	return v, nil
}
