package main

import (
	"bytes"
	"fmt"
	"io"
)

// replay writes n events: a generated stretch over and over, each time with
// other ids and sessions, because generating costs more than judging. Copies
// and sessions within a stretch stay copies and sessions.
func replay(w io.Writer, n int, varied bool) error {
	const stretch = 20_000
	var text bytes.Buffer
	if err := generate(&text, min(n, stretch), varied); err != nil {
		return err
	}
	lines := bytes.SplitAfter(text.Bytes(), []byte("\n"))
	lines = lines[:len(lines)-1]
	type place struct{ id, session int }
	places := make([]place, len(lines))
	original := make([]place, len(lines)) // the values there
	at := 0
	for i, l := range lines {
		id := bytes.Index(l, []byte(`"id":"`)) + len(`"id":"`)
		session := bytes.Index(l, []byte(`"correlationId":"`)) + len(`"correlationId":"`)
		places[i] = place{at + id, at + session}
		if _, err := fmt.Sscanf(string(l[id:id+8])+" "+string(l[session:session+8]), "%x %x", &original[i].id, &original[i].session); err != nil {
			return err
		}
		at += len(l)
	}
	all := text.Bytes()
	for pass := 0; n > 0; pass++ {
		turn := uint32(pass) * 0x9e3779b1
		for i, p := range places {
			putHex(all[p.id:], uint32(original[i].id)^turn)
			putHex(all[p.session:], uint32(original[i].session)^turn)
		}
		out := all
		if n < len(lines) {
			out = all[:places[n].id-len(`{"id":"`)]
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		n -= len(lines)
	}
	return nil
}

func putHex(b []byte, v uint32) {
	for i := 7; i >= 0; i-- {
		b[i] = "0123456789abcdef"[v&15]
		v >>= 4
	}
}
