package pack

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// Store makes packs and remembers which. Safe for concurrent use.
type Store struct {
	Deps
}

// New makes a store. DB, Archive and Trail are required; what makes packs needs the
// others.
func New(d Deps) (*Store, error) {
	if d.DB == nil || d.Archive == nil || d.Trail == nil {
		return nil, problem.New(problem.Internal, "packs need a database, an archive and a trail")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Actor == "" {
		d.Actor = "system:pack"
	}
	return &Store{d}, nil
}

// Row is a pack that was made.
type Row struct {
	Name      string    `json:"name"`
	Tenant    string    `json:"tenant"`
	Customer  string    `json:"customer,omitempty"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Reader    string    `json:"reader"`
	Evidence  string    `json:"evidence"`
	Redaction []string  `json:"redaction,omitempty"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	Made      time.Time `json:"made"`
	Actor     string    `json:"actor"`
}

// List gives the newest packs that were made, at most limit.
func (s *Store) List(ctx context.Context, limit int) (out []Row, err error) {
	rows, err := s.DB.QueryContext(ctx, listPacks, limit)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the list of packs cannot be read")
	}
	defer rows.Close()
	out = []Row{}
	for rows.Next() {
		var r Row
		var from, to, made int64
		var redaction string
		if err := rows.Scan(&r.Name, &r.Tenant, &r.Customer, &from, &to, &r.Reader, &r.Evidence, &redaction, &r.Size, &r.SHA256, &made, &r.Actor); err != nil {
			return nil, problem.Wrap(err, problem.Internal, "the list of packs cannot be read")
		}
		r.From, r.To, r.Made = db.Time(from), db.Time(to), db.Time(made)
		if redaction != "" {
			r.Redaction = strings.Split(redaction, ",")
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// remember writes the row of a pack and its entry of the trail, in one transaction.
func (s *Store) remember(ctx context.Context, m *Made) error {
	of := m.Manifest
	return s.DB.InTx(ctx, func(ctx context.Context) error {
		redaction := strings.Join(of.Redaction, ",")
		if _, err := s.DB.ExecContext(ctx, putPack, of.Name, of.Tenant, of.Customer, db.Micros(of.From), db.Micros(of.To), of.Reader, of.Evidence, redaction,
			m.Size, m.SHA256, db.Micros(of.Made), s.Actor); err != nil {
			return problem.Wrap(err, problem.Internal, "the database does not take a pack")
		}
		details := map[string]string{"sha256": m.SHA256, "size": strconv.FormatInt(m.Size, 10), "period": of.Period(), "reader": of.Reader,
			"evidence": of.Evidence}
		if redaction != "" {
			details["redaction"] = redaction
		}
		if of.Customer != "" {
			details["customer"] = of.Customer
		}
		return s.Trail.Record(ctx, audit.Event{Action: audit.PackMade, Outcome: audit.Done, Actor: s.Actor, Object: of.Name, Tenant: of.Tenant,
			Details: details})
	})
}
