package posture

import (
	"context"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/rollup"
)

// KeepDays keeps the roll-ups of whole days of a tenant, in one transaction. A day that
// is kept already is replaced, as rows arrive late; but never by one with fewer rows:
// that was made from less of the log. Days without a date are left out.
func (s *Store) KeepDays(ctx context.Context, tenant string, days []*rollup.Day) (kept int, err error) {
	if len(days) == 0 {
		return 0, nil
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0, problem.Wrap(err, problem.Internal, "zstd does not start")
	}
	defer func() { _ = z.Close() }()
	first := days[0].Date
	for _, d := range days {
		if d.Date != "" && (first == "" || d.Date < first) {
			first = d.Date
		}
	}
	err = s.retry(ctx, func(ctx context.Context) error {
		kept = 0
		old, err := s.rolled(ctx, tenant, first)
		if err != nil {
			return err
		}
		for _, d := range days {
			rows := d.Rows()
			if o, has := old[d.Date]; d.Date == "" || has && o.rows > rows {
				continue
			}
			r := rolledDay{day: d.Date, entries: int64(len(d.Entries)), rows: rows, unasked: d.Of(signin.NotChallenged), body: z.EncodeAll(d.Encode(), nil)}
			if err := s.putRolled(ctx, tenant, &r); err != nil {
				return err
			}
			kept++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("keep the sign-ins of tenant %s rolled up: %w", tenant, err)
	}
	return kept, nil
}

// Day gives the roll-up of a day, 2006-01-02; nil where none is kept.
func (s *Store) Day(ctx context.Context, tenant, day string) (*rollup.Day, error) {
	body, err := s.rolledBody(ctx, tenant, day)
	if err != nil || body == nil {
		return nil, err
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(rollup.MaxBytes))
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "zstd does not start")
	}
	defer z.Close()
	raw, err := z.DecodeAll(body, nil)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the roll-up of %s is damaged", day)
	}
	d, err := rollup.Decode(raw)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the roll-up of %s is damaged", day)
	}
	return d, nil
}

// rolled are the counts of the days from one on.
func (s *Store) rolled(ctx context.Context, tenant, since string) (map[string]rolledDay, error) {
	list, err := s.rolledDays(ctx, tenant, since)
	out := map[string]rolledDay{}
	for _, d := range list {
		out[d.day] = d
	}
	return out, err
}
