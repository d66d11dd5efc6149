package db_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
)

var update = flag.Bool("update", false, "write the schemas and the checksums anew; those of migrations that somebody ran already must not change")

// golden compares a text with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test ./internal/db -update writes it anew):\n%s", path, diff)
	}
}

// TestMigrationsStay: what somebody ran is never edited, and nothing goes back.
func TestMigrationsStay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("migrations/*/*.sql")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	var sums strings.Builder
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "goose Down") {
			t.Errorf("%s goes back: migrations go forward only", path)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(text), filepath.ToSlash(path))
	}
	stays(t, "testdata/migrations.sha256", sums.String())
	golden(t, "testdata/migrations.sha256", sums.String())
}

// stays fails, also before anything is written anew, when a migration that stood
// there changed or went, or a new one does not have the next number of its dialect:
// whoever has the database of before would never get it.
func stays(t *testing.T, path, got string) {
	t.Helper()
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]string{} // by folder
	for line := range strings.Lines(string(was)) {
		if !strings.Contains(got, line) {
			t.Fatalf("a migration was changed or removed: %s", line)
		}
		file := strings.Fields(line)[1]
		last[filepath.Dir(file)] = max(last[filepath.Dir(file)], filepath.Base(file))
	}
	for line := range strings.Lines(got) {
		file := strings.Fields(line)[1]
		if !strings.Contains(string(was), line) && filepath.Base(file) < last[filepath.Dir(file)] {
			t.Fatalf("%s is new and comes before %s: give it the next number", file, last[filepath.Dir(file)])
		}
	}
}

// TestSchema: what all migrations together make.
func TestSchema(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		query := `SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY type DESC, name`
		if d.Dialect == db.Postgres {
			query = `SELECT line FROM (
				SELECT table_name AS t, 1 AS part, ordinal_position AS n,
					table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
					|| coalesce(' DEFAULT ' || column_default, '') AS line
				FROM information_schema.columns WHERE table_schema = current_schema()
				UNION ALL SELECT conrelid::regclass::text, 2, row_number() OVER (ORDER BY conname), conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid)
				FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'
				UNION ALL SELECT tablename, 3, row_number() OVER (ORDER BY indexname), indexdef FROM pg_indexes WHERE schemaname = current_schema()
			) AS all_lines WHERE t NOT LIKE 'goose_%' ORDER BY t, part, n, line`
		}
		rows, err := d.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var got strings.Builder
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			got.WriteString(line + "\n")
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/schema."+string(d.Dialect)+".sql", got.String())
	})
}
