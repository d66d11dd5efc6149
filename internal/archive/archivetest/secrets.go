package archivetest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/db"
)

// NoSecrets looks for marks, secrets that flow through what is tested, in every byte
// of the files below dir, and of what those of zstd hold, and in every value of every
// table: as they are, in base64 and in hex.
func NoSecrets(t testing.TB, dir string, d *db.DB, marks ...string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		look(t, path, b, marks)
		z, err := zstd.NewReader(bytes.NewReader(b))
		if err != nil {
			return err
		}
		defer z.Close()
		var inside bytes.Buffer
		if _, err := inside.ReadFrom(z); err == nil {
			look(t, "inside of "+path, inside.Bytes(), marks)
		} else if strings.HasSuffix(path, ".pgseg") {
			t.Errorf("%s cannot be looked into: %v", path, err)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Errorf("%d files looked at: %v", n, err)
	}
	tables, err := d.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table.Check() != nil {
			continue // the queue's
		}
		err := d.Rows(t.Context(), table, func(row []any) error {
			for i, v := range row {
				switch v := v.(type) {
				case string:
					look(t, table.Name+"."+table.Columns[i].Name, []byte(v), marks)
				case []byte:
					look(t, table.Name+"."+table.Columns[i].Name, v, marks)
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", table.Name, err)
		}
	}
}

func look(t testing.TB, where string, b []byte, marks []string) {
	t.Helper()
	for _, m := range marks {
		for _, as := range []string{
			m, base64.StdEncoding.EncodeToString([]byte(m)), base64.RawURLEncoding.EncodeToString([]byte(m)), hex.EncodeToString([]byte(m)),
		} {
			if bytes.Contains(b, []byte(as)) {
				t.Errorf("%s holds a secret", where)
			}
		}
	}
}
