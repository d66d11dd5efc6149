package pack_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/packtest"
)

// TestZIPTricks has what a ZIP can hide found by both verifiers: that readers of ZIP see
// different things, and bytes that none sees.
func TestZIPTricks(t *testing.T) {
	t.Parallel()
	raw, key := made(t, kinds["none"])
	le := binary.LittleEndian
	end := len(raw) - 22
	dir := int(le.Uint32(raw[end+16:]))
	patch := func(at int, with ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], with); return b }
	}
	both := func(local, central int, with ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[local:], with); copy(b[dir+central:], with); return b }
	}
	insert := func(at int, what string, fix func([]byte)) func([]byte) []byte {
		return func(b []byte) []byte {
			out := append(append(bytes.Clone(b[:at]), what...), b[at:]...)
			if fix != nil {
				fix(out)
			}
			return out
		}
	}
	second := dir + 46 + int(le.Uint16(raw[dir+28:]))
	for name, change := range map[string]func([]byte) []byte{
		"a comment":    func(b []byte) []byte { b[len(b)-2] = 3; return append(b, "abc"...) },
		"bytes behind": func(b []byte) []byte { return append(b, 0) },
		"bytes before": insert(0, "#!/bin/sh\n", nil),
		"bytes before, with the directory moved": insert(0, "#!/bin/sh\n", func(b []byte) {
			at := le.Uint32(b[len(b)-6:])
			le.PutUint32(b[len(b)-6:], at+10)
		}),
		"bytes before the directory":    insert(dir, "hidden", func(b []byte) { le.PutUint32(b[len(b)-6:], uint32(dir+6)) }),
		"bytes behind the directory":    insert(end, "hidden", nil),
		"bytes in the directory":        insert(second, "hidden", func(b []byte) { le.PutUint32(b[len(b)-10:], le.Uint32(b[len(b)-10:])+6) }),
		"a name that leads out":         both(30, 46, []byte("../")...),
		"a name from the root":          both(30, 46, '/'),
		"a name with a backslash":       both(30, 46, []byte(`C:\`)...),
		"another name in the header":    patch(30, 'X'),
		"another name in the directory": patch(dir+46, 'X'),
		"the same name twice": func(b []byte) []byte {
			copy(b[second+46:], b[dir+46:dir+46+int(le.Uint16(b[dir+28:]))])
			return b
		},
		"compressed, it says":              both(8, 10, 8),
		"encrypted, it says":               both(6, 8, 1),
		"sizes behind, it says":            both(6, 8, 8),
		"a symbolic link":                  patch(dir+38, 0, 0, 0xff, 0xa1),
		"made on another system":           patch(dir+5, 3),
		"an extra field":                   patch(dir+30, 4),
		"a moment":                         both(10, 12, 1),
		"another size in the header":       patch(22, 1),
		"another CRC in the header":        patch(14, 1, 2, 3, 4),
		"another size in the directory":    patch(dir+24, 1),
		"an entry that is larger than all": patch(dir+20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"more entries, it says":            patch(end+8, 0xff, 0, 0xff, 0),
		"fewer entries, it says":           patch(end+8, 1, 0, 1, 0),
		"a second disk":                    patch(end+4, 1),
		"the end is cut off":               func(b []byte) []byte { return b[:len(b)-1] },
		"half of it":                       func(b []byte) []byte { return b[:len(b)/2] },
		"nothing of it":                    func([]byte) []byte { return nil },
		"two packs in one":                 func(b []byte) []byte { return append(b, b...) },
		"a CRC that is wrong in both": func(b []byte) []byte {
			copy(b[14:], []byte{1, 2, 3, 4})
			copy(b[dir+16:], []byte{1, 2, 3, 4})
			return b
		},
		"a content with another CRC": func(b []byte) []byte {
			at := 30 + int(le.Uint16(b[26:]))
			b[at] ^= 1
			crc := le.AppendUint32(nil, crc32.ChecksumIEEE(b[at:at+int(le.Uint32(b[18:]))]))
			copy(b[14:], crc)
			copy(b[dir+16:], crc)
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := form.Structure
			if name == "a content with another CRC" {
				want = form.Sum
			}
			large, little := byBoth(t, change(bytes.Clone(raw)), form.Trust{Key: verifier(t, key)}, packtest.Count, "--key", key)
			if !has(large, want) || !has(little, want) {
				t.Errorf("large: %v; small: %v", large, little)
			}
		})
	}
}

// TestFlipped changes bytes of a pack, one at a time: there is none that does not matter.
func TestFlipped(t *testing.T) {
	t.Parallel()
	raw, key := made(t, kinds["none"])
	trust := form.Trust{Key: verifier(t, key)}
	holds := func(b []byte) bool {
		r, err := form.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return false
		}
		v, err := r.Verify(t.Context(), trust)
		return err == nil && v.Err() == nil
	}
	if !holds(raw) {
		t.Fatal("it does not hold as it is")
	}
	step, from := 1, 0
	if os.Getenv("PARTNERGUARD_ATTACK") != "whole" { // some thousand bytes, others each time
		step = max(1, len(raw)/1000)
		from = int(time.Now().UnixNano() % int64(step))
	}
	for i := from; i < len(raw); i += step {
		b := bytes.Clone(raw)
		b[i] ^= 1 << (i % 8)
		if holds(b) {
			t.Errorf("byte %d of %d does not matter", i, len(raw))
		}
	}
	r := rand.New(rand.NewPCG(3, 5)) //nolint:gosec // of a test
	for range 25 {
		i := r.IntN(len(raw))
		b := bytes.Clone(raw)
		b[i] ^= 1 << r.IntN(8)
		if large, little := byBoth(t, b, trust, nil, "--key", key); len(large) == 0 || len(little) == 0 {
			t.Errorf("byte %d: large: %v; small: %v", i, large, little)
		}
	}
}
