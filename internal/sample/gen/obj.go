package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// o is a JSON object that keeps the order of its keys: key, value, key, value.
type o []any

// MarshalJSON writes the pairs in order.
func (p o) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := 0; i < len(p); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encode(&b, p[i]); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encode(&b, p[i+1]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// get is the value of a key, nil when absent.
func (p o) get(key string) any {
	for i := 0; i < len(p); i += 2 {
		if p[i] == key {
			return p[i+1]
		}
	}
	return nil
}

func encode(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the encoder's line break
	return nil
}

// guid gives a name its id, the same for ever.
func guid(name string) string {
	h := sha256.Sum256([]byte("contoso/" + name))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// dice is the one source of choices for a purpose; purposes do not disturb
// each other.
func dice(purpose string) *rand.Rand {
	h := sha256.Sum256([]byte("dice/" + purpose))
	return rand.New(rand.NewChaCha8(h))
}

// stamp writes a time as Graph does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// second writes a time without fractions.
func second(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// maybe is nil for the zero time.
func maybe(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return second(t)
}

// page is a whole Graph collection in one page.
func page(context string, items []any) o {
	return o{"@odata.context", "https://graph.microsoft.com/" + context, "value", items}
}
