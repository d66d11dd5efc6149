package vault

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

const testLine = "partnerguard test 1\n"

func sealStream(t testing.TB, v *Vault, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, s, err := v.SealStream(t.Context(), &out, testLine)
	if err != nil || s.Vault == "" || s.Made.IsZero() {
		t.Fatal(s, err)
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openStream(t testing.TB, raw []byte, line string, m Master) ([]byte, error) {
	r, _, err := OpenStream(t.Context(), bytes.NewReader(raw), line, m)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestStream(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		m := NewKeyFile(b.key)
		text := bytes.Repeat([]byte("personal data "), 200_000) // three pieces
		raw := sealStream(t, b.Vault, text)
		if bytes.Contains(raw, []byte("personal")) {
			t.Error("it is in the clear")
		}
		for range 2 { // also after the vault's keys changed
			if got, err := openStream(t, raw, testLine, m); err != nil || !bytes.Equal(got, text) {
				t.Fatal(len(got), err)
			}
			if err := b.Rotate(t.Context()); err != nil && !errors.Is(err, problem.Usage) {
				t.Fatal(err)
			}
			resealAll(t, b.Vault, 1000)
		}
		if s, err := PeekStream(bytes.NewReader(raw), testLine); err != nil || !strings.HasPrefix(s.Master, "key:") {
			t.Errorf("%+v %v", s, err)
		}
		other := filepath.Join(t.TempDir(), "other")
		if _, err := MakeKeyFile(other); err != nil {
			t.Fatal(err)
		}
		if _, err := openStream(t, raw, testLine, NewKeyFile(other)); !errors.Is(err, ErrWrongMaster) {
			t.Errorf("another key: %v", err)
		}
		for line, want := range map[string]string{"partnerguard vault backup 1\n": "no partnerguard vault backup", "partnerguard test 0\n": "newer"} {
			if _, err := openStream(t, raw, line, m); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", line, err)
			}
		}
	})
}

// TestStreamHostile: whatever is changed, cut or added, nothing is taken for the whole.
func TestStreamHostile(t *testing.T) {
	t.Parallel()
	b := lend(t, dbtest.SQLite(t))
	m := NewKeyFile(b.key)
	text := bytes.Repeat([]byte{7}, 2*streamSegment)
	raw := sealStream(t, b.Vault, text)
	again := sealStream(t, b.Vault, text)
	head := len(raw) - 2*streamSegment
	refuse := func(name string, bad []byte) {
		t.Helper()
		got, err := openStream(t, bad, testLine, m)
		if err == nil {
			t.Errorf("%s: it was taken, %d bytes", name, len(got))
		} else if !errors.Is(err, problem.BadInput) || problem.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	refuse("nothing", nil)
	for _, n := range []int{1, len(testLine), len(testLine) + 3, 100, head, head + 1, streamSegment, 2 * streamSegment, len(raw) - 17, len(raw) - 1} {
		refuse("cut", raw[:n])
		bad := bytes.Clone(raw)
		bad[n] ^= 0x20
		refuse("flipped", bad)
	}
	first := bytes.Index(raw, []byte(`}`)) + 1
	refuse("cut at the end of a piece", raw[:first+streamSegment])
	refuse("longer", append(bytes.Clone(raw), 0))
	refuse("twice", append(bytes.Clone(raw), raw...))
	refuse("another's end", append(bytes.Clone(raw[:first+streamSegment]), again[first+streamSegment:]...))
	long := append([]byte(testLine), 0xff, 0xff, 0xff, 0xff)
	refuse("a long head", append(long, raw[len(long):]...))
	refuse("another moment", bytes.Replace(raw, []byte(`"made":"2`), []byte(`"made":"1`), 1))
}

func FuzzStream(f *testing.F) {
	b := lend(f, dbtest.SQLite(f))
	raw := sealStream(f, b.Vault, []byte("what is sealed"))
	f.Add(raw)
	f.Add(raw[:40])
	f.Add([]byte(testLine + "\x00\x00\x00\x02{}"))
	m := NewKeyFile(b.key)
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := openStream(t, in, testLine, m)
		if err == nil && !bytes.Equal(in, raw) {
			t.Errorf("%q was taken", got)
		}
	})
}
