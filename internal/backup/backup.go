package backup

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Line is what a backup begins with.
const Line = "partnerguard backup 1\n"

// Limits of what is written and read.
const (
	pieceBytes  = 1 << 20  // a piece of a table ends after so many
	maxRow      = 16 << 20 // bytes of one row
	maxPart     = maxRow + pieceBytes
	maxFile     = 1 << 20 // bytes of a settings file
	maxManifest = 4 << 20
	maxTables   = 500
	maxFiles    = 16
	maxTenants  = 100
	maxPieces   = 100_000_000
	// What is unpacked may be so much larger than what it was packed into.
	maxRatio, freeRatio = 1000, 256 << 20
)

// Manifest says what a backup has. Nothing in it is secret; it is sealed with the
// rest all the same.
type Manifest struct {
	Form         int        `json:"form"` // 1
	Program      string     `json:"program"`
	Made         time.Time  `json:"made"`
	Installation string     `json:"installation"` // whose: Microsoft's clouds or the local one
	Database     db.Dialect `json:"database"`     // that it is a copy of
	Schema       int64      `json:"schema"`
	Vault        string     `json:"vault"`
	Master       string     `json:"master"` // the id of the master key that opens it
	Trail        Trail      `json:"trail"`
	Tenants      []string   `json:"tenants"` // that it has connections of
	Connections  int        `json:"connections"`
	Tables       []db.Table `json:"tables"`
	Files        []File     `json:"files"`
	Absent       []Absent   `json:"absent"`
}

// Trail is where the audit trail stood.
type Trail struct {
	Origin  string `json:"origin"`
	Entries int64  `json:"entries"`
	Root    string `json:"root"`
}

// File is a file of the installation beside its database.
type File struct {
	Name string `json:"name"` // settings, policy, …
	Path string `json:"path"` // where it stood
}

// Absent is what an installation needs and a backup never has.
type Absent struct {
	What  string `json:"what"`
	Where string `json:"where"`
}

// Sum is what there is of a table or a file.
type Sum struct {
	Name   string `json:"name"` // db/TABLE or files/NAME
	Rows   int64  `json:"rows,omitempty"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Backup is a backup that was read to its end.
type Backup struct {
	Manifest
	Sums []Sum `json:"sums"`
	Rows int64 `json:"rows"`
	// Bytes and SHA256 are of the whole file.
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

const manifestName, sumsName = "manifest.json", "sums.json"

var fileName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// bad says what is wrong with a backup that came from outside.
func bad(format string, args ...any) error {
	return problem.Wrap(vault.ErrDamaged, problem.BadInput, "the backup cannot be used: "+format, args...).
		WithHint("take another backup; nothing was changed")
}

// check refuses a manifest that cannot be one of ours.
func (m *Manifest) check() error {
	if m.Form != 1 {
		return bad("a newer partnerguard made it (form %d)", m.Form)
	}
	if m.Database != db.SQLite && m.Database != db.Postgres || m.Schema < 1 || m.Made.IsZero() || m.Trail.Entries < 0 {
		return bad("its manifest says nothing that could be")
	}
	if len(m.Tables) == 0 || len(m.Tables) > maxTables || len(m.Files) > maxFiles || len(m.Tenants) > maxTenants || len(m.Absent) > maxFiles*4 {
		return bad("its manifest is too long, or has no tables")
	}
	for i, t := range m.Tables {
		if err := t.Check(); err != nil {
			return bad("its manifest names what is no table: %s", err)
		}
		if i > 0 && m.Tables[i-1].Name >= t.Name {
			return bad("its manifest names the tables in no order")
		}
	}
	for i, f := range m.Files {
		if !fileName.MatchString(f.Name) || slices.ContainsFunc(m.Files[:i], func(o File) bool { return o.Name == f.Name }) {
			return bad("its manifest names a file that cannot be")
		}
	}
	return nil
}

// encodeRow is a row as a line.
func encodeRow(t db.Table, values []any) ([]byte, error) {
	out := make([]any, len(values))
	for i, v := range values {
		kind, fits := t.Columns[i].Kind, true
		switch v := v.(type) {
		case nil:
		case string:
			fits = kind == db.Text
			out[i] = v
			if !utf8.ValidString(v) { // JSON would change it
				out[i] = map[string][]byte{"raw": []byte(v)}
			}
		case int64:
			fits = kind == db.Integer
			out[i] = v
		case []byte:
			fits = kind == db.Blob
			out[i] = base64.StdEncoding.EncodeToString(v)
		default:
			fits = false
		}
		if !fits {
			return nil, problem.New(problem.BadInput, "a row of %s has something in %s that does not belong there", t.Name, t.Columns[i].Name).
				WithHint("something else wrote into the database: partnerguard vault check")
		}
	}
	raw, err := json.Marshal(out)
	if err == nil && len(raw) > maxRow {
		err = problem.New(problem.Limit, "a row of %s has more than %d bytes", t.Name, maxRow)
	}
	return append(raw, '\n'), err
}

// decodeRow reads a line.
func decodeRow(t db.Table, line []byte) ([]any, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil || len(raw) != len(t.Columns) {
		return nil, bad("a row of %s cannot be read", t.Name)
	}
	out := make([]any, len(raw))
	for i, text := range raw {
		var err error
		switch kind := t.Columns[i].Kind; {
		case string(text) == "null":
		case kind == db.Text && text[0] == '{':
			var v struct{ Raw []byte }
			err = json.Unmarshal(text, &v)
			out[i] = string(v.Raw)
		case kind == db.Text:
			var v string
			err = json.Unmarshal(text, &v)
			out[i] = v
		case kind == db.Integer:
			var v int64
			err = json.Unmarshal(text, &v)
			out[i] = v
		default:
			v := []byte{}
			err = json.Unmarshal(text, &v)
			out[i] = v
		}
		if err != nil {
			return nil, bad("a row of %s has something in %s that does not belong there", t.Name, t.Columns[i].Name)
		}
	}
	return out, nil
}
