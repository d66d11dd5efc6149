package mfa

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// row is a marked row, of whatever table: they have one form.
type row struct {
	id, look, person, state string
	ends                    int64
	body                    string
	version                 int64
	mark                    []byte
}

func (r *row) values() []any {
	return []any{r.id, r.look, r.person, r.state, r.ends, r.body, r.version}
}

// shelf is a table with its statements.
type shelf struct {
	book                     *vault.Book
	get, insert, update, del string
}

func book(table string) *vault.Book {
	return &vault.Book{Table: table, Version: 1, Key: []string{"id"}, Columns: []string{"look", "person", "state", "ends", "body", "version"}}
}

// What stands between the tables' names.
const (
	columns = "(id, look, person, state, ends, body, version, mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	changes = "look = $2, person = $3, state = $4, ends = $5, body = $6, version = $7, mark = $8 WHERE id = $1 AND version = $9"
)

var (
	people = &shelf{book("mfa_people"), "SELECT id, look, person, state, ends, body, version, mark FROM mfa_people ", "INSERT INTO mfa_people " + columns,
		"UPDATE mfa_people SET " + changes, "DELETE FROM mfa_people "}
	factors = &shelf{book("mfa_factors"), "SELECT id, look, person, state, ends, body, version, mark FROM mfa_factors ", "INSERT INTO mfa_factors " + columns,
		"UPDATE mfa_factors SET " + changes, "DELETE FROM mfa_factors "}
	challenges = &shelf{book("mfa_challenges"), "SELECT id, look, person, state, ends, body, version, mark FROM mfa_challenges ",
		"INSERT INTO mfa_challenges " + columns, "UPDATE mfa_challenges SET " + changes, "DELETE FROM mfa_challenges "}
	sessions = &shelf{book("mfa_sessions"), "SELECT id, look, person, state, ends, body, version, mark FROM mfa_sessions ",
		"INSERT INTO mfa_sessions " + columns, "UPDATE mfa_sessions SET " + changes, "DELETE FROM mfa_sessions "}
	invitations = &shelf{book("mfa_invitations"), "SELECT id, look, person, state, ends, body, version, mark FROM mfa_invitations ",
		"INSERT INTO mfa_invitations " + columns, "UPDATE mfa_invitations SET " + changes, "DELETE FROM mfa_invitations "}
	acts = &shelf{book("mfa_acts"), "SELECT id, look, person, state, ends, body, version, mark FROM mfa_acts ", "INSERT INTO mfa_acts " + columns,
		"UPDATE mfa_acts SET " + changes, "DELETE FROM mfa_acts "}
)

// shelves are all of them.
var shelves = []*shelf{people, factors, challenges, sessions, invitations, acts}

// Books are the tables whose rows are marked.
func Books() (out []*vault.Book) {
	for _, s := range shelves {
		out = append(out, s.book)
	}
	return out
}

// failed is what a person is told of a database that does not answer: kind
// problem.Unavailable, so that nothing is taken for proven.
func failed(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.Is(err, errLost) {
		return err
	}
	if _, ok := errors.AsType[*problem.Error](err); ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.Unavailable, "factors cannot be read: the database does not answer").WithAfter(5 * time.Second).
		WithHint("try again in a moment; the server's log says more")
}

// errLost says that a row was changed by somebody else meanwhile.
var errLost = errors.New("the row was changed meanwhile")

func scanRow(from interface{ Scan(...any) error }) (r row, err error) {
	return r, from.Scan(&r.id, &r.look, &r.person, &r.state, &r.ends, &r.body, &r.version, &r.mark)
}

// one reads a row by its id, or by what it is found by; sql.ErrNoRows where there is none.
// The database is not trusted with the question: a row of another key is refused.
func (s *Store) one(ctx context.Context, sh *shelf, id, look string) (row, error) {
	where, arg := "WHERE id = $1", id
	if id == "" {
		where, arg = "WHERE look = $1", look
	}
	r, err := scanRow(s.d.DB.QueryRowContext(ctx, sh.get+where, arg))
	if err != nil {
		return r, failed(err)
	}
	if id != "" && r.id != id || id == "" && r.look != look {
		return r, vault.Other(sh.book, arg)
	}
	return r, nil
}

// many reads rows: of a person, or all where that is ""; unheld.
func (s *Store) many(ctx context.Context, sh *shelf, person string) ([]row, error) {
	var rows *sql.Rows
	var err error
	if person == "" {
		rows, err = s.d.DB.QueryContext(ctx, sh.get+"ORDER BY id")
	} else {
		rows, err = s.d.DB.QueryContext(ctx, sh.get+"WHERE person = $1 ORDER BY id", person)
	}
	if err != nil {
		return nil, failed(err)
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, failed(err)
		}
		if person == "" || r.person == person {
			out = append(out, r)
		}
	}
	return out, failed(rows.Err())
}

func (s *Store) insert(ctx context.Context, sh *shelf, r *row) (err error) {
	r.version = 1
	if r.mark, err = s.d.Vault.Mark(ctx, sh.book, r.values()...); err != nil {
		return err
	}
	_, err = s.d.DB.ExecContext(ctx, sh.insert, append(r.values(), r.mark)...)
	return failed(err)
}

// update writes a row whose version is the one that was read; errLost where it is not.
func (s *Store) update(ctx context.Context, sh *shelf, r *row) (err error) {
	was := r.version
	r.version++
	if r.mark, err = s.d.Vault.Mark(ctx, sh.book, r.values()...); err != nil {
		return err
	}
	return one(s.d.DB.ExecContext(ctx, sh.update, append(append(r.values(), r.mark), was)...))
}

// remove takes a row away, at the version that was read; errLost where it is another.
func (s *Store) remove(ctx context.Context, sh *shelf, id string, version int64) error {
	return one(s.d.DB.ExecContext(ctx, sh.del+"WHERE id = $1 AND version = $2", id, version))
}

// over takes away what is over since a moment, and gives it.
func (s *Store) over(ctx context.Context, sh *shelf, at time.Time) ([]row, error) {
	rows, err := s.d.DB.QueryContext(ctx, sh.get+"WHERE ends > 0 AND ends <= $1 ORDER BY ends LIMIT 1000", db.Micros(at))
	if err != nil {
		return nil, failed(err)
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, failed(err)
		}
		out = append(out, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, failed(err)
	}
	for i := range out {
		if _, err := s.d.DB.ExecContext(ctx, sh.del+"WHERE id = $1", out[i].id); err != nil {
			return nil, failed(err)
		}
	}
	return out, nil
}

func one(r sql.Result, err error) error {
	if err != nil {
		return failed(err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errLost, err)
	}
	return nil
}

// Notes, which are not marked.

func (s *Store) putNote(ctx context.Context, n *Note) error {
	_, err := s.d.DB.ExecContext(ctx, "INSERT INTO mfa_notes (id, person, at, kind, source, words) VALUES ($1, $2, $3, $4, $5, $6)",
		n.ID, n.Person, db.Micros(n.At), n.Kind, n.Source, n.Words)
	return failed(err)
}

// notes are those since a moment, of a person or of all, the newest first.
func (s *Store) notes(ctx context.Context, person string, since time.Time) ([]Note, error) {
	rows, err := s.d.DB.QueryContext(ctx, "SELECT id, person, at, kind, source, words FROM mfa_notes WHERE (person = $1 OR $1 = '') AND at >= $2 "+
		"ORDER BY at DESC, id LIMIT 2000", person, db.Micros(since))
	if err != nil {
		return nil, failed(err)
	}
	defer rows.Close()
	var out []Note
	for rows.Next() {
		var n Note
		var at int64
		if err := rows.Scan(&n.ID, &n.Person, &at, &n.Kind, &n.Source, &n.Words); err != nil {
			return nil, failed(err)
		}
		n.At = db.Time(at)
		out = append(out, n)
	}
	return out, failed(rows.Err())
}

func (s *Store) dropNotes(ctx context.Context, before time.Time) error {
	_, err := s.d.DB.ExecContext(ctx, "DELETE FROM mfa_notes WHERE at < $1", db.Micros(before))
	return failed(err)
}

// Tries, which are not marked: whoever could write them could take them away too.

// tries are wrong answers that still count.
type tries struct {
	id, person  string
	last, until time.Time
	body        string
	version     int64
}

// readTries reads those of some ids; one that is not there is new.
func (s *Store) readTries(ctx context.Context, id string) (t tries, err error) {
	var last, until int64
	err = s.d.DB.QueryRowContext(ctx, "SELECT id, person, last, until, body, version FROM mfa_tries WHERE id = $1", id).
		Scan(&t.id, &t.person, &last, &until, &t.body, &t.version)
	if errors.Is(err, sql.ErrNoRows) {
		return tries{id: id}, nil
	}
	t.last, t.until = db.Time(last), db.Time(until)
	return t, failed(err)
}

// putTries writes what was read; errLost where another process was faster.
func (s *Store) putTries(ctx context.Context, t *tries) error {
	if t.version == 0 {
		return one(s.d.DB.ExecContext(ctx, "INSERT INTO mfa_tries (id, person, last, until, body, version) VALUES ($1, $2, $3, $4, $5, 1) "+
			"ON CONFLICT (id) DO NOTHING", t.id, t.person, db.Micros(t.last), db.Micros(t.until), t.body))
	}
	return one(s.d.DB.ExecContext(ctx, "UPDATE mfa_tries SET person = $2, last = $3, until = $4, body = $5, version = $6 WHERE id = $1 AND version = $7",
		t.id, t.person, db.Micros(t.last), db.Micros(t.until), t.body, t.version+1, t.version))
}

func (s *Store) dropTries(ctx context.Context, person string, before time.Time) error {
	q, arg := "DELETE FROM mfa_tries WHERE person = $1", any(person)
	if person == "" {
		q, arg = "DELETE FROM mfa_tries WHERE last < $1", db.Micros(before)
	}
	_, err := s.d.DB.ExecContext(ctx, q, arg)
	return failed(err)
}

// locked are the tries that lock at a moment.
func (s *Store) locked(ctx context.Context, at time.Time) ([]tries, error) {
	rows, err := s.d.DB.QueryContext(ctx, "SELECT id, person, last, until, body, version FROM mfa_tries WHERE until > $1 "+
		"ORDER BY until DESC, id", db.Micros(at))
	if err != nil {
		return nil, failed(err)
	}
	defer rows.Close()
	var out []tries
	for rows.Next() {
		var t tries
		var last, until int64
		if err := rows.Scan(&t.id, &t.person, &last, &until, &t.body, &t.version); err != nil {
			return nil, failed(err)
		}
		t.last, t.until = db.Time(last), db.Time(until)
		out = append(out, t)
	}
	return out, failed(rows.Err())
}

// text is a value as a body has it.
func text(v any) string {
	b, _ := json.Marshal(v) // texts, numbers, moments
	return string(b)
}
