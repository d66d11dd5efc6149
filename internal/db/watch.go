package db

import (
	"context"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
)

// Current says that the schema is this program's: nil, or what is wrong. For
// readiness: another process may have raised it meanwhile.
func (d *DB) Current(ctx context.Context) error {
	p, err := d.provider()
	if err != nil {
		return err
	}
	has, err := d.version(ctx)
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "the database %s does not answer", d.where)
	}
	if n := newest(p); has != n {
		return problem.New(problem.Conflict, "the database %s has schema %d, and this program's is %d", d.where, has, n).
			WithHint("stop every process, upgrade all, and start them again")
	}
	return nil
}

// Size is how many bytes the database takes, and its write-ahead log with SQLite.
func (d *DB) Size(ctx context.Context) (size, wal int64, err error) {
	if d.Dialect == Postgres {
		err = d.QueryRowContext(ctx, sizePostgres).Scan(&size)
		return size, 0, err
	}
	info, err := os.Stat(d.where)
	if err != nil {
		return 0, 0, err
	}
	if log, err := os.Stat(d.where + "-wal"); err == nil {
		wal = log.Size()
	}
	return info.Size(), wal, nil
}

// Metrics adds how large the database is, and how busy this process's connections.
func (d *DB) Metrics(reg prometheus.Registerer) {
	of := func(name, help string, read func(context.Context) (float64, error)) {
		observe.Gauge(reg, name, help, "", func(ctx context.Context) (map[string]float64, error) {
			v, err := read(ctx)
			return map[string]float64{"": v}, err
		})
	}
	of("partnerguard_db_size_bytes", "How large the database is.", func(ctx context.Context) (float64, error) {
		size, _, err := d.Size(ctx)
		return float64(size), err
	})
	if d.Dialect == SQLite {
		of("partnerguard_db_wal_bytes", "How large the database's write-ahead log is.", func(ctx context.Context) (float64, error) {
			_, wal, err := d.Size(ctx)
			return float64(wal), err
		})
	}
	pool := func(name, help string, read func() float64) {
		of(name, help, func(context.Context) (float64, error) { return read(), nil })
	}
	pool("partnerguard_db_connections_max", "How many connections this process may have.", func() float64 { return float64(d.Stats().MaxOpenConnections) })
	pool("partnerguard_db_connections_open", "Connections that are open.", func() float64 { return float64(d.Stats().OpenConnections) })
	pool("partnerguard_db_connections_in_use", "Connections that are in use.", func() float64 { return float64(d.Stats().InUse) })
	pool("partnerguard_db_waited", "How often somebody waited for a connection, since the start.", func() float64 { return float64(d.Stats().WaitCount) })
	pool("partnerguard_db_waited_seconds", "How long in all, since the start.", func() float64 { return d.Stats().WaitDuration.Seconds() })
}
