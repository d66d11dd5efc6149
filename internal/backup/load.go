package backup

import (
	"context"

	"partnerguard/internal/db"
)

// Loader puts the rows of a backup into a database of the backup's schema, within
// one transaction: in the place of whatever stands in its tables.
type Loader struct {
	DB *db.DB

	ctx  context.Context //nolint:containedctx // of the transaction, for the callbacks of one reading
	fill *db.Fill
	name string
}

// Sink is what Read gives the rows to; ctx carries the transaction. Close the loader
// before it is committed.
func (l *Loader) Sink(ctx context.Context) Sink {
	l.ctx = ctx
	return Sink{Begin: l.begin, Row: l.row}
}

// begin empties every table, also those of which the backup has no row, and refuses
// tables that are not the schema's.
func (l *Loader) begin(m Manifest) error {
	known, err := tables(l.ctx, l.DB, m.Schema)
	if err != nil {
		return err
	}
	for i, t := range m.Tables {
		if i >= len(known) || !known[i].Same(t) {
			return bad("its table %s is not the one of schema %d", t.Name, m.Schema)
		}
		f, err := l.DB.Fill(l.ctx, t)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return err
		}
	}
	if n := len(m.Tables); n < len(known) {
		return bad("it lacks the table %s of schema %d", known[n].Name, m.Schema)
	}
	return nil
}

func (l *Loader) row(t db.Table, values []any) error {
	if l.name != t.Name {
		if err := l.Close(); err != nil {
			return err
		}
		f, err := l.DB.Fill(l.ctx, t)
		if err != nil {
			return err
		}
		l.fill, l.name = f, t.Name
	}
	return l.fill.Put(l.ctx, values)
}

// Close ends the last table.
func (l *Loader) Close() error {
	if l.fill == nil {
		return nil
	}
	f := l.fill
	l.fill = nil
	return f.Close()
}
